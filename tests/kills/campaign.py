"""Kill, start again, let it finish, judge: over and over on the same venues and the same journal."""

import asyncio
from dataclasses import dataclass, field
from random import Random

from oms.crash import POINTS
from oms.segments import read_all, segments
from tests.kills.judge import Findings, judge, meant_by
from tests.kills.world import Desk, World, script

IN_RECOVERY = "in recovery"
TWICE = "recovered, again"
ELSEWHERE = "anywhere"
ROWS = (*POINTS, TWICE, IN_RECOVERY, ELSEWHERE)
"""What is counted: a kill point; one in the desk that was started after that; any moment of a recovery; desks that did
not come to their kill point in time and were killed where they were."""

REACH_S = 30.0
"""How long a desk may take to come to its kill point; normally a few seconds."""
RATE_LIMITED, RATE_WINDOW_S, RESTARTS = "429", 60.0, 4
"""A venue counts the requests of all desks that an address has started within a minute: as anybody would, wait."""
FINISH = ("sleep 400ms", "wait idle 45s", "quit")


@dataclass(slots=True)
class Row:
    """What became of the kills of one kind."""

    kills: int = 0
    lost: int = 0
    doubled: int = 0
    inconsistent: int = 0


@dataclass(slots=True)
class Tally:
    """The table, and a sentence for each thing found."""

    rows: dict[str, Row] = field(default_factory=lambda: {name: Row() for name in ROWS})
    findings: list[str] = field(default_factory=list)
    fills_while_down: int = 0

    @property
    def kills(self) -> int:
        """How many there were."""
        return sum(row.kills for row in self.rows.values())

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def table(self) -> str:
        """The rows for people."""
        lines = [f"{'killed':<18}{'kills':>7}{'lost':>7}{'doubled':>9}{'not consistent':>16}"]
        lines += [
            f"{name:<18}{row.kills:>7}{row.lost:>7}{row.doubled:>9}{row.inconsistent:>16}"
            for name, row in self.rows.items()
        ]
        return "\n".join(lines)


class Campaign:
    """Rounds on one world. A round is one kill or several, then a desk that finishes, and the judgement."""

    def __init__(self, world: World, seed: int, tally: Tally) -> None:
        self._world = world
        self._rng = Random(f"kills/{seed}")  # noqa: S311  # a scenario, not a secret
        self._seed = seed
        self._tally = tally
        self._rounds = 0

    async def round(self, point: str, nth: int, *, again: bool = False, in_recovery: bool = False) -> Findings:
        """Kill a desk at ``point`` of its hedge ``nth``; ``again`` and ``in_recovery`` kill the ones after it too."""
        self._rounds += 1
        reached = await self._kill_at(f"{point}:{nth}")
        rows = [point if reached else ELSEWHERE]
        await self._meanwhile()
        if again:
            reached = await self._kill_at(f"{self._rng.choice(POINTS)}:{self._rng.randrange(1, 3)}")
            rows.append(TWICE if reached else ELSEWHERE)
            await self._meanwhile()
        if in_recovery:
            rows.append(IN_RECOVERY)
            await self._kill_in_recovery()
            await self._meanwhile()
        findings, complaints = await self._finish()
        for name in rows:
            row = self._tally.rows[name]
            row.kills += 1
            row.lost += bool(findings.lost)
            row.doubled += bool(findings.doubled)
            row.inconsistent += bool(complaints or findings.wrong)
        where = f"seed {self._seed} round {self._rounds} ({', '.join(rows)}, hedge {nth})"
        self._tally.findings += [f"{where}: {text}" for text in (*findings.sentences, *complaints)]
        return findings

    async def _kill_at(self, kill: str) -> bool:
        """Run a desk up to its kill point; whether it came to it. One that does not is killed where it is."""
        desk = await self._world.desk(script(self._rng, 60), kill)
        reached = await self._fill_makers_of(desk)
        await desk.kill()
        return reached

    async def _fill_makers_of(self, desk: Desk) -> bool:
        for _ in range(int(REACH_S / 0.15)):
            if await desk.ended_within(0.15):
                return True
            await self._world.let_aggressors_come(self._rng, 0.15)
        return False

    async def _kill_in_recovery(self) -> None:
        """Kill a desk some moments after its session began, whatever it is doing."""
        sessions = self._sessions()
        desk = await self._world.desk(FINISH)
        while self._sessions() == sessions and not await desk.ended_within(0.02):
            pass
        await desk.ended_within(self._rng.choice((0.0, 0.02, 0.1, 0.4, 1.5, 4.0)) * self._rng.random())
        await desk.kill()

    async def _meanwhile(self) -> None:
        """Nobody is there, and the market goes on."""
        self._tally.fills_while_down += await self._world.let_aggressors_come(self._rng, 0.7)

    async def _finish(self) -> tuple[Findings, list[str]]:
        """Let a desk recover, settle and end; what its summary, ``verify`` and the judge say."""
        complaints: list[str] = []
        desk = await self._world.desk(FINISH)
        code = await desk.ended()
        for _ in range(RESTARTS):
            if RATE_LIMITED not in f"{desk.errors}{desk.summary.get('problems')}":
                break
            await asyncio.sleep(RATE_WINDOW_S / RESTARTS)
            desk = await self._world.desk(FINISH)
            code = await desk.ended()
        if code != 0 or not desk.summary.get("consistent"):
            said = desk.summary.get("problems") or desk.errors.strip() or "no summary"
            complaints.append(f"the desk ended with {code}: {said}")
        verify = await self._world.run("verify")
        await verify.say(())
        code = await verify.ended()
        if code != 0:
            complaints.append(f"verify ended with {code}: {verify.errors.strip()} {''.join(verify.text).strip()}")
        return judge(await self._world.truth(), meant_by(read_all(self._world.journals))), complaints

    def _sessions(self) -> int:
        return sum(path.read_bytes().count(b'"kind":"Session"') for path in segments(self._world.journals))
