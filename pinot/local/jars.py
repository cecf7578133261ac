"""Finds Java, and the jars of Kafka and Pinot, which Maven fetches once into `.cache/`.

The schema registry's are fetched only for it.

The folder's name contains the digest of pom.xml, so versions do not mix.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pinot.local.ports import StackError

POM = Path(__file__).with_name("pom.xml")
CACHE = Path(__file__).parents[2] / ".cache" / "jars"
PROFILES = ("kafka", "pinot", "decoders")
"""The profiles of pom.xml that a stack needs."""
OLDEST_JAVA = 17
TRIES = 3
FETCH_SECONDS = 900.0


def java() -> str:
    """Return the path of a Java that can run the stack.

    Raises:
        StackError: there is none, it is too old, or it has no compiler (LocalPinot.java runs from source).
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    if found is None:
        raise StackError(
            f"there is no Java: install a JDK, {OLDEST_JAVA} or newer (Debian: openjdk-17-jdk-headless)"
        )
    answer = subprocess.run([found, "--list-modules"], capture_output=True, text=True, check=False)  # noqa: S603
    version = re.search(r"^java\.base@(\d+)", answer.stdout, re.MULTILINE)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise StackError(f"{found} is too old: the stack needs Java {OLDEST_JAVA} or newer")
    if "jdk.compiler@" not in answer.stdout:
        raise StackError(f"{found} is a JRE: install the JDK (Debian: openjdk-{version[1]}-jdk-headless)")
    return found


def missing(profiles: Sequence[str] = PROFILES) -> str | None:
    """Return what this machine lacks to run these profiles, by default a stack, or None."""
    try:
        java()
        if not all(_folder(profile).is_dir() for profile in profiles):
            _maven()
    except StackError as error:
        return str(error)
    return None


def fetch(say: Callable[[str], None] = print, profiles: Sequence[str] = PROFILES) -> dict[str, Path]:
    """Return the folder of jars for each of `profiles`; fetch missing ones.

    Safe to call concurrently: the first caller fetches, the others wait.

    Raises:
        StackError: Maven is missing or fails; the text contains its last lines.
    """
    with locked(CACHE / "lock"):
        for profile in profiles:
            if not _folder(profile).is_dir():
                say(f"fetching the jars of {profile} (once) …")
                _fetch_profile(_maven(), profile)
    return {profile: _folder(profile) for profile in profiles}


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, which is created; the system releases it even if this process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _folder(profile: str) -> Path:
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    return CACHE / digest / profile


def _maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        raise StackError(
            "there is no Maven to fetch Kafka and Pinot with: install it (Debian: apt install maven)"
        )
    return found


def _fetch_profile(maven: str, profile: str) -> None:
    """Fetch into a temporary folder, so that a partial fetch is never used."""
    whole = _folder(profile)
    part = whole.with_suffix(".part")
    command = [
        *(maven, "--quiet", "--batch-mode", "--update-snapshots", "--file", str(POM)),
        *(f"--activate-profiles={profile}", "dependency:copy-dependencies"),
        *("-DincludeScope=runtime", f"-DoutputDirectory={part}"),
        *("-Dmaven.wagon.http.retryHandler.count=3", "-Daether.connector.http.retryHandler.count=3"),
    ]
    output = ""
    for _ in range(TRIES):
        shutil.rmtree(part, ignore_errors=True)
        done, output = _run(command)
        if done and any(part.iterdir()):
            part.rename(whole)
            return
    last_lines = "\n".join(output.strip().splitlines()[-8:])
    raise StackError(f"Maven could not fetch {profile} in {TRIES} tries:\n{last_lines}")


def _run(command: list[str]) -> tuple[bool, str]:
    try:
        answer = subprocess.run(  # noqa: S603
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"timed out after {FETCH_SECONDS:g} s"
    return answer.returncode == 0, answer.stdout
