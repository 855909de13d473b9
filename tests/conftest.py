def pytest_addoption(parser):
    """Options of our own."""
    parser.addoption(
        "--update-snapshots", action="store_true", help="write the console's text snapshots instead of comparing them"
    )
