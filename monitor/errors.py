"""One tree of errors. Each carries a message (what happened) and a hint (what to do about it).

MonitorError
├── ConfigError            monitor.toml is missing, unreadable or says something impossible
├── CollectError           a platform or an archive could not be read
│   ├── AuthError          the platform refused the credentials
│   ├── RateLimited        the platform asked us to wait (``wait_seconds``)
│   │   └── Unpaid         the budget, or the credit at the platform, is used up
│   │       └── OverBudget it is the operator's own budget
│   ├── CursorTooOld       the platform no longer holds what follows our cursor
│   ├── Undelivered        an alert's target did not take a message
│   ├── StreamEnded        the live stream closed or went silent; reconnect
│   └── ArchiveError       an imported file is damaged or of an unknown kind
├── StoreError             our own database
│   ├── NoDatabase         there is no file yet
│   ├── NotADatabase       the file is no DuckDB file, or is damaged
│   ├── SchemaTooNew       written by a newer version of this program
│   ├── StoreBusy          somebody held the file for longer than we may wait
│   └── DiskFull           no space was left while writing
├── ModelError             the classifier's files are missing, damaged or of another codebook
├── CorpusError            training posts break the codebook or overlap between splits
└── TooFewPosts            a statistic was asked of fewer posts than it needs
"""


class MonitorError(Exception):
    """Base of every error the operator may see.

    Args:
        message: what happened, in one sentence.
        hint: what the operator can do about it; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(MonitorError):
    """monitor.toml is missing, unreadable or says something impossible."""


class CollectError(MonitorError):
    """A platform or an archive could not be read."""


class AuthError(CollectError):
    """The platform refused the credentials."""


class RateLimited(CollectError):
    """The platform asked us to wait ``wait_seconds``."""

    def __init__(self, message: str, wait_seconds: float, hint: str = "") -> None:
        super().__init__(message, hint)
        self.wait_seconds = wait_seconds


class Unpaid(RateLimited):
    """The operator's budget or the credit at the platform is used up; asked again after ``wait_seconds``."""


class OverBudget(Unpaid):
    """The operator's own budget: what it leaves unread is not to be read later either, unless somebody asks."""


class CursorTooOld(CollectError):
    """The platform no longer holds what follows our cursor."""


class Undelivered(CollectError):
    """An alert's target did not take a message; it is sent again."""


class StreamEnded(CollectError):
    """The live stream closed or went silent; the loop reconnects."""


class ArchiveError(CollectError):
    """An imported file is damaged or of an unknown kind."""


class StoreError(MonitorError):
    """Our own database."""


class NoDatabase(StoreError):
    """There is no database file yet."""


class NotADatabase(StoreError):
    """The file is no DuckDB file, or is damaged."""


class SchemaTooNew(StoreError):
    """The file was written by a newer version of this program."""


class StoreBusy(StoreError):
    """Somebody held the file for longer than we may wait."""


class DiskFull(StoreError):
    """No space was left while writing."""


class ModelError(MonitorError):
    """The classifier's files are missing, damaged or made for another codebook."""


class CorpusError(MonitorError):
    """Training posts break the codebook or overlap between splits."""


class TooFewPosts(MonitorError):
    """A statistic was asked of ``found`` posts and needs ``needed``."""

    def __init__(self, needed: int, found: int) -> None:
        super().__init__(
            f"{found} posts, and {needed} are needed",
            "Widen the window or collect for longer.",
        )
        self.needed = needed
        self.found = found
