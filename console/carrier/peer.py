"""Who is at the other end of a Unix domain socket, as the operating system says: nobody can claim to be another."""

import ctypes
import os
import socket
import struct
from typing import NamedTuple

_CREDENTIALS = struct.Struct("3i")


class Peer(NamedTuple):
    """A process at the other end. ``pid`` is 0 where the system does not tell it."""

    uid: int
    pid: int = 0


def peer_of(connection: socket.socket) -> Peer:
    """Who connected. Raises OSError where the system cannot tell.

    Linux: SO_PEERCRED, unix(7); BSD and macOS: getpeereid(3).
    """
    if hasattr(socket, "SO_PEERCRED"):
        said = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _ = _CREDENTIALS.unpack(said)
        return Peer(uid, pid)
    getpeereid = getattr(ctypes.CDLL(None, use_errno=True), "getpeereid", None)
    if getpeereid is None:
        raise OSError("this system does not tell who connects to a socket")
    owner, group = ctypes.c_uint32(), ctypes.c_uint32()
    if getpeereid(connection.fileno(), ctypes.byref(owner), ctypes.byref(group)):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return Peer(owner.value)
