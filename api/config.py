"""Settings: the one reader of the environment.

Every ``GWC_*`` name is in the table below; any other is refused, so a typing mistake never runs
silently with a default. There are no default secrets: on SQLite a missing key is made on first
use beside the database file, readable by its owner alone; on PostgreSQL it is required.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

import msgspec

from ledger.facts import Text

PREFIX = "GWC_"
KEY_BYTES = 32
KEYS = ("GWC_SECRET_KEY", "GWC_VAULT_KEY")
SQLITE, POSTGRES = "sqlite:///", ("postgresql://", "postgres://")
REDIS = ("redis://", "rediss://", "unix://")
TIMEZONE = "Asia/Shanghai"
RATE_LIMIT = "300/minute"
UNSAFE_TEST_SERVER = "ALLOW_UNSAFE_TEST_SERVER"


class ConfigError(Exception):
    """A setting is unknown, missing or wrong; the message names it. Commands exit with 2."""


class Setting(msgspec.Struct, frozen=True):
    """One row of the table of settings: its name, what it is when unset, what it means."""

    name: str
    default: str
    meaning: Text


def _setting(name: str, default: str, zh: str, en: str) -> Setting:
    return Setting(PREFIX + name, default, Text(zh, en))


SETTINGS: tuple[Setting, ...] = (
    _setting("DATABASE_URL", "sqlite:///gwc.db", "数据库：sqlite:///文件 或 postgresql://…",
             "the database: sqlite:///FILE or postgresql://…"),
    _setting("REDIS_URL", "", "可选的 Redis，只存视图和限速计数",
             "optional Redis; holds views and rate limits only"),
    _setting("SECRET_KEY", "", "令牌密钥，32 字节的 base64；用 SQLite 时自动生成",
             "key of the tokens, base64 of 32 bytes; made beside an SQLite file"),
    _setting("VAULT_KEY", "", "保险库主密钥，32 字节的 base64；用 SQLite 时自动生成",
             "master key of the vault, base64 of 32 bytes; made beside an SQLite file"),
    _setting("LOG_KEY", "", "签名日志用的 Ed25519 私钥 PEM 文件；用 SQLite 时自动生成",
             "PEM file of the Ed25519 key of the log; made beside an SQLite file"),
    _setting("LOG_DIR", "", "公开日志（瓦片、检查点）的文件夹；默认在 SQLite 文件旁或 gwc.tlog",
             "folder of the published log; by default beside the SQLite file, else gwc.tlog"),
    _setting("LOG_ORIGIN", "", "公开日志的名称，如 log.city.example/water；开始后不能更改",
             "the log's name, such as log.city.example/water; for good once it is begun"),
    _setting("TRUST_POLICY", "", "信任策略文件：见证人及其地址（c2sp.org/tlog-policy）",
             "file of the trust policy: witnesses and their addresses (c2sp.org/tlog-policy)"),
    _setting("TIMEZONE", TIMEZONE, "日与月的时区，只能是 Asia/Shanghai",
             "time zone of days and months; only Asia/Shanghai"),
    _setting("BIND", "127.0.0.1:8000", "监听地址", "the address to listen on"),
    _setting("WORKERS", "2", "工作进程数", "worker processes"),
    _setting("THREADS", "4", "每个进程的线程数", "threads per worker"),
    _setting("RATE_LIMIT", RATE_LIMIT, "每个令牌的请求上限；off 为不限",
             "requests per token; off for none"),
    _setting("TEST_POSTGRES_URL", "", "测试用：自备的 PostgreSQL", "tests: a PostgreSQL of yours"),
    _setting("TEST_REDIS_URL", "", "测试用：自备的 Redis", "tests: a Redis of yours"),
    _setting("CHROMIUM", "", "测试用：自备的浏览器程序", "tests: a Chromium of yours"),
    _setting("NO_SYSTEM_BROWSER", "", "测试用：不用系统浏览器", "tests: not the system's browser"),
    _setting("KILLS", "", "测试用：崩溃测试的次数", "tests: how often the crash test kills"),
    _setting("TEST_MACHINE", "", "测试用：状态机的局数", "tests: how many games are played"),
    _setting("TEST_RACE", "", "测试用：竞争测试的次数", "tests: how often the race is run"),
    _setting("TEST_MORNING", "", "测试用：走访测试的人数", "tests: workers of the morning"),
    _setting("NO_USERNS", "", "测试用：不使用用户命名空间", "tests: without user namespaces"),
)  # fmt: skip
DEFAULTS = {setting.name: setting.default for setting in SETTINGS}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How this process runs, read once; see SETTINGS for the meaning of each."""

    database_url: str
    redis_url: str | None
    bind: str
    workers: int
    threads: int
    rate_limit: str
    given_secret_key: bytes | None
    given_vault_key: bytes | None
    given_log_key: Path | None = None
    given_log_dir: Path | None = None
    log_origin: str = ""
    trust_policy: Path | None = None
    unsafe_test_server: str | None

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str] = os.environ, *, keyless: bool = False
    ) -> Settings:
        """Read and check every setting; raises ConfigError naming the one that is wrong.

        ``keyless``: for what opens no vault and makes no token, missing keys are none of its
        business, with PostgreSQL either.
        """
        _refuse_unknown(environ)
        given = {name: environ.get(name, "").strip() or default
                 for name, default in DEFAULTS.items()}  # fmt: skip
        if given["GWC_TIMEZONE"] != TIMEZONE:
            raise ConfigError(f"GWC_TIMEZONE must be {TIMEZONE}: coins are counted in its days")
        secret_key, vault_key = (_key(name, given[name]) if given[name] else None for name in KEYS)
        settings = cls(
            database_url=_database(given["GWC_DATABASE_URL"]),
            redis_url=_redis(given["GWC_REDIS_URL"]),
            bind=bind_address(given["GWC_BIND"]),
            workers=_number("GWC_WORKERS", given["GWC_WORKERS"]),
            threads=_number("GWC_THREADS", given["GWC_THREADS"]),
            rate_limit=_rate(given["GWC_RATE_LIMIT"]),
            given_secret_key=secret_key,
            given_vault_key=vault_key,
            given_log_key=_path(given["GWC_LOG_KEY"]),
            given_log_dir=_path(given["GWC_LOG_DIR"]),
            log_origin=_origin(given["GWC_LOG_ORIGIN"]),
            trust_policy=_path(given["GWC_TRUST_POLICY"]),
            unsafe_test_server=environ.get(UNSAFE_TEST_SERVER),
        )
        missing = [name for name in KEYS if not given[name]]
        if missing and settings.sqlite_path is None and not keyless:
            raise ConfigError(f"with PostgreSQL {' and '.join(missing)} must be set: base64 of"
                              f" {KEY_BYTES} random bytes (openssl rand -base64 {KEY_BYTES})")
        return settings

    @property
    def sqlite_path(self) -> Path | None:
        """The database file; None with PostgreSQL."""
        url = self.database_url
        return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None

    @property
    def secret_key(self) -> bytes:
        """The 32 bytes tokens are derived from; made on first use with SQLite."""
        return self.given_secret_key or self._made("secret-key")

    @property
    def vault_key(self) -> bytes:
        """The 32 bytes that wrap the key of every subject; made on first use with SQLite."""
        return self.given_vault_key or self._made("vault-key")

    @property
    def log_key(self) -> bytes | None:
        """The PEM of the log's private key, made on first use with SQLite; None without one."""
        from ledger.transparency.signing import new_key  # Here, as most commands start without.

        if self.given_log_key is not None:
            return _content(self.given_log_key, "GWC_LOG_KEY")
        return _kept(self._beside("log-key"), new_key()) if self.sqlite_path else None

    @property
    def log_dir(self) -> Path:
        """The folder that holds published logs, each under its id."""
        if self.given_log_dir is not None:
            return self.given_log_dir
        return self._beside("tlog") if self.sqlite_path else Path("gwc.tlog")

    def ledger_env(self) -> dict[str, str]:
        """What ``ledger.application.Ledger`` is opened with."""
        path = self.sqlite_path
        env = (
            {"PERSISTENCE_MODULE": "ledger.store.sqlite", "SQLITE_DBNAME": str(path)}
            if path is not None
            else {"PERSISTENCE_MODULE": "ledger.store.postgres", "DATABASE_URL": self.database_url}
        )
        if self.unsafe_test_server is not None:
            env[UNSAFE_TEST_SERVER] = self.unsafe_test_server
        return env

    def _beside(self, ending: str) -> Path:
        path = self.sqlite_path
        assert path is not None
        return path.with_name(f"{path.name}.{ending}")

    def _made(self, ending: str) -> bytes:
        path = self._beside(ending)
        text = _kept(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        return _key(str(path), text.decode("ascii", "replace").strip())


def _kept(path: Path, content: bytes) -> bytes:
    """What the file holds, made with ``content`` if it is missing; of several makers one wins.

    It gets its name only when it is complete, so nobody ever reads half a key.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigError(f"the key file cannot be read: {error}") from None
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                return path.read_bytes()
        finally:
            draft.unlink()
    except OSError as error:
        raise ConfigError(f"no key file can be made beside the database: {error}") from None
    return content


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in DEFAULTS:
            near = get_close_matches(name, sorted(DEFAULTS), n=1, cutoff=0)
            raise ConfigError(f"unknown setting {name}; did you mean {near[0]}?")


def _database(url: str) -> str:
    if url.startswith(POSTGRES):
        return url
    if not url.startswith(SQLITE) or url.removeprefix(SQLITE) in ("", ":memory:"):
        raise ConfigError("GWC_DATABASE_URL must be sqlite:///FILE or postgresql://…")
    return url


def _redis(url: str) -> str | None:
    if url and not url.startswith(REDIS):
        raise ConfigError("GWC_REDIS_URL must begin with redis://, rediss:// or unix://")
    return url or None


def _path(text: str) -> Path | None:
    return Path(text) if text else None


def _content(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{name}: {path} cannot be read: {error.strerror}") from None


def _origin(text: str) -> str:
    if text and (not re.fullmatch(r"[\w.:-]+(/[\w.-]+)*", text) or len(text) > 200):
        raise ConfigError("GWC_LOG_ORIGIN must be an address without https:// and final slash:"
                          " letters, digits and . _ - : / but no spaces, 200 at most")
    return text


def bind_address(text: str, name: str = "GWC_BIND") -> str:
    """An address to listen on; raises ConfigError, which names it by ``name``."""
    host, _, port = text.rpartition(":")
    if text.startswith("unix:") or (host and re.fullmatch("[0-9]{1,5}", port)
                                    and int(port) < 65_536):  # fmt: skip
        return text
    raise ConfigError(f"{name} must be HOST:PORT or unix:PATH")


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 1000):
        raise ConfigError(f"{name} must be a whole number from 1 to 1000")
    return int(text)


def _rate(text: str) -> str:
    if text in ("off", RATE_LIMIT):
        return text
    import limits  # Here, as most commands start without it.

    try:
        limits.parse_many(text)
    except ValueError:
        raise ConfigError("GWC_RATE_LIMIT must be off, or like 300/minute") from None
    return text


def _key(name: str, text: str) -> bytes:
    """The bytes of a key; its value is in no message."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"{name} must be the base64 of {KEY_BYTES} bytes")
    return key
