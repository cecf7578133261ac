"""Stand-ins for the images of docker-compose.yml, for a private engine that cannot pull the real ones.

They consist of Debian packages and the jars of the local stack, and provide what the compose file expects of
the real images: users, folders, volumes, variables and commands. Each has the label org.racecast.stand-in.
"""

import hashlib
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import yaml

from pinot.local import jars
from pinot.local.stack import CONFIG
from pinot.local.stack import HERE as LOCAL
from tests.compose.engine import CommandError, Engine, NoEngineError
from tests.processes import ROOT

IMAGES = Path(__file__).with_name("images")
CACHE = ROOT / ".cache" / "compose"
JAVA = "racecast-stand-in-java"
"""The base image of the others."""
RELEASE = "bookworm"
PACKAGES = ("ca-certificates", "curl", "netcat-openbsd", "openjdk-17-jre-headless", "python3", "python3-venv")
TRUSTED = Path("/etc/ssl/certs/ca-certificates.crt")
NOT_NEEDED = ("./dev/", "./var/cache/", "./var/lib/apt/lists/", "./usr/share/doc/", "./usr/share/locale/")


def provide_images(engine: Engine) -> str:
    """Pull the images of docker-compose.yml, or build stand-ins; return which of the two, in words.

    Raises:
        NoEngineError: the images cannot be pulled, and an engine that is not private must keep its own.
    """
    names = image_names()
    try:
        for name in names.values():
            engine.docker("pull", "--quiet", name)
    except CommandError as error:
        if not engine.private:
            raise NoEngineError(f"the images cannot be pulled: {error}") from error
    else:
        return "the real images"
    with tempfile.TemporaryDirectory() as folder:
        _build(engine, Path(folder), names)
    return "stand-ins for the images"


def image_names() -> dict[str, str]:
    """Return the third-party images that `docker compose up` needs, by the name of their stand-in."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    (python,) = re.findall(r"^FROM (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return {
        "zookeeper": services["zookeeper"]["image"],
        "kafka": services["kafka"]["image"],
        "pinot": services["pinot-server"]["image"],
        "python": python,
    }


def _build(engine: Engine, folder: Path, names: dict[str, str]) -> None:
    engine.docker("import", str(_java_root()), JAVA)
    for part, lib in jars.fetch().items():
        shutil.copytree(lib, folder / part)
    for file in (*IMAGES.iterdir(), CONFIG / "pinot.jvm", TRUSTED):
        shutil.copy(file, folder)
    _compile(folder)
    services = {
        name: {"image": image, "build": {"context": ".", "dockerfile": f"{name}.Dockerfile"}}
        for name, image in names.items()
    }
    (folder / "compose.yml").write_text(yaml.safe_dump({"services": services}))
    engine.run_compose("--file", str(folder / "compose.yml"), "build", "--quiet")


def _compile(folder: Path) -> None:
    """Compile the local stack's launcher of Pinot here: the image then needs no compiler."""
    libraries = ":".join(map(str, (folder / "pinot").glob("*.jar")))
    command = [jars.java(), "-m", "jdk.compiler/com.sun.tools.javac.Main", "-cp", libraries]
    subprocess.run([*command, "-d", str(folder / "classes"), str(LOCAL / "LocalPinot.java")], check=True)


def _java_root() -> Path:
    """Return a tar file of a Debian root with PACKAGES; it is built once and cached."""
    digest = hashlib.sha256(" ".join((RELEASE, *PACKAGES, *NOT_NEEDED)).encode()).hexdigest()[:12]
    whole = CACHE / f"{digest}.tar"
    if whole.exists():
        return whole
    if shutil.which("debootstrap") is None:
        raise NoEngineError("stand-ins for the images need debootstrap (Debian: apt install debootstrap)")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", RELEASE, folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise NoEngineError(f"debootstrap failed: {done.stdout[-1000:]}{done.stderr[-1000:]}")
        part = whole.with_suffix(".part")
        with tarfile.open(part, "w") as tar:
            tar.add(folder, ".", filter=_needed)
        part.rename(whole)
    return whole


def _needed(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if entry.name.startswith(NOT_NEEDED) else entry
