"""`python -m pinot.local`: its errors when something is missing, and that it stops only its own processes."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pinot.admin.topics import set_up_topics
from pinot.local import jars, ports, registry
from pinot.local.__main__ import main
from pinot.local.ports import StackError
from pinot.local.process import Process
from pinot.local.stack import CONFIG, SHARED, Stack
from stream.waiting import WaitedTooLongError, wait_for
from tests.conftest import need_java_and_jars
from tests.topics import count_partitions

FREE = {"kafka": 0, "controller": 0, "broker": 0}
WAITS_FOR_A_SIGNAL = f"""#!{sys.executable}
import signal
signal.pause()
"""
ENDS_WITH_WORDS = f"""#!{sys.executable}
print("no room left")
"""


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], str]:
    """Makes an executable file with a name and a text, and returns its path."""

    def make(name: str, text: str) -> str:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    return make


@pytest.fixture
def only_programs_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only executables made by `program` are found."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)


def modules(*names: str) -> str:
    """Return a `java` that lists these modules."""
    return "#!/bin/sh\n" + "".join(f"echo {name}\n" for name in names)


@pytest.mark.usefixtures("only_programs_of")
def test_no_java_says_what_to_install() -> None:
    """Without Java the error names the package to install."""
    with pytest.raises(StackError, match="there is no Java: install a JDK, 17 or newer"):
        jars.java()


@pytest.mark.usefixtures("only_programs_of")
def test_old_java_is_rejected(program: Callable[[str, str], str]) -> None:
    """A Java older than 17 is rejected."""
    program("java", modules("java.base@11.0.2", "jdk.compiler@11.0.2"))
    with pytest.raises(StackError, match="too old"):
        jars.java()


@pytest.mark.usefixtures("only_programs_of")
def test_java_without_a_compiler_is_rejected(program: Callable[[str, str], str]) -> None:
    """A Java that cannot run source files is rejected, with the package to install."""
    program("java", modules("java.base@21.0.1"))
    with pytest.raises(StackError, match="openjdk-21-jdk-headless"):
        jars.java()


@pytest.mark.usefixtures("only_programs_of")
def test_java_home_goes_first(
    program: Callable[[str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JAVA_HOME takes precedence if it is set."""
    found = program("java", modules("java.base@17", "jdk.compiler@17"))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert jars.java() == found


@pytest.mark.usefixtures("only_programs_of")
def test_no_maven_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If jars have to be fetched without Maven, the error names the package to install."""
    monkeypatch.setattr(jars, "CACHE", tmp_path / "cache")
    with pytest.raises(StackError, match=r"there is no Maven .* apt install maven"):
        jars.fetch(lambda _: None)


@pytest.mark.usefixtures("only_programs_of")
def test_failing_fetch_is_retried_and_then_reported(
    program: Callable[[str, str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Maven runs three times; then its last lines are the error, and no partial cache is left."""
    tries = tmp_path / "tries"
    program("mvn", f"#!/bin/sh\necho again >> {tries}\necho 'Could not resolve host'\nexit 1\n")
    monkeypatch.setattr(jars, "CACHE", tmp_path / "cache")
    with pytest.raises(StackError, match="could not fetch kafka in 3 tries:\nCould not resolve host"):
        jars.fetch(lambda _: None)
    assert len(tries.read_text().split()) == 3
    assert not list((tmp_path / "cache").glob("*/kafka"))


def test_port_in_use_is_named() -> None:
    """A port in use is rejected, with its number and the part that needs it."""
    with socket.create_server((ports.HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port}, needed for kafka, is in use"):
            ports.check_free(ports.choose({"kafka": port}))


def test_chosen_ports_differ() -> None:
    """A new stack's ports are all different and include the requested ones."""
    chosen = ports.choose({"kafka": 9092, "controller": 0})
    numbers = list(vars(chosen).values())
    assert chosen.kafka == 9092
    assert len(set(numbers)) == len(numbers)


def test_folder_remembers_its_ports(tmp_path: Path) -> None:
    """A stack keeps its ports; requesting others is an error."""
    first = Stack.at(tmp_path, FREE)
    ports.save(first.ports, tmp_path / "ports.json")
    assert Stack.at(tmp_path) == first
    assert Stack.at(tmp_path, FREE) == first
    with pytest.raises(StackError, match=f"kafka on port {first.ports.kafka}, not 1:"):
        Stack.at(tmp_path, {"kafka": 1})


def test_usual_ports_are_the_documented_ones(tmp_path: Path) -> None:
    """By default Kafka is on 9092, the controller on 9000 and the broker on 8099."""
    stack = Stack.at(tmp_path)
    addresses = (stack.kafka, stack.controller, stack.broker)
    assert addresses == ("127.0.0.1:9092", "http://127.0.0.1:9000", "http://127.0.0.1:8099")


SETTINGS = [
    *CONFIG.glob("*.properties"),
    *SHARED.glob("kafka/*.properties"),
    *SHARED.glob("pinot/*.properties"),
]


@pytest.mark.parametrize("path", sorted(SETTINGS), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_everything_listens_on_loopback(path: Path) -> None:
    """No configuration has a host other than 127.0.0.1."""
    text = path.read_text()
    assert "0.0.0.0" not in text
    assert "localhost" not in text
    hosts = [line for line in text.splitlines() if ".host" in line or "Address" in line]
    assert all(line.endswith("=127.0.0.1") for line in hosts if "hostname=false" not in line)


def test_process_runs_until_it_is_stopped(program: Callable[[str, str], str], tmp_path: Path) -> None:
    """A started process runs until it is stopped; stopping it twice is harmless."""
    process = Process("sleeper", tmp_path)
    assert process.pid() is None
    process.start(program("java", WAITS_FOR_A_SIGNAL), [])
    assert process.pid() is not None
    process.stop()
    assert process.pid() is None
    process.stop()


def test_reused_pid_is_left_alone(tmp_path: Path) -> None:
    """A pid that now belongs to another program is not ours and is not stopped."""
    with subprocess.Popen([shutil.which("sleep") or "sleep", "60"]) as other:
        (tmp_path / "kafka.pid").write_text(f"{other.pid}\n")
        process = Process("kafka", tmp_path)
        assert process.pid() is None
        process.stop()
        assert other.poll() is None
        other.kill()


def test_process_that_ends_leaves_its_last_words(program: Callable[[str, str], str], tmp_path: Path) -> None:
    """The output of a process that has ended is available."""
    process = Process("brief", tmp_path)
    process.start(program("java", ENDS_WITH_WORDS), [])
    wait_for("its end", lambda: "runs" if process.pid() else None, seconds=60, say=print)
    assert process.last_words().splitlines()[-1] == "    no room left"


def test_status_of_a_stack_that_was_never_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`status` reports, also by its exit status, that nothing runs; `stop` does nothing."""
    for action, status in (("status", 1), ("stop", 0)):
        monkeypatch.setattr(sys, "argv", ["pinot.local", action, "--state", str(tmp_path / "none")])
        assert main() == status
    assert "kafka       is not running" in capsys.readouterr().out


def test_waiting_ends_with_what_was_wrong() -> None:
    """A timeout reports what was waited for, how long, and the last problem."""
    with pytest.raises(WaitedTooLongError, match=r"^waited 0 s for the train: it snows$"):
        wait_for("the train", lambda: "it snows", seconds=0, say=print)


@pytest.mark.stack
def test_start_that_fails_leaves_nothing_running(stack: Stack, tmp_path: Path) -> None:
    """A stack that cannot start reports its last lines and leaves no process running."""
    other = Stack.at(tmp_path, FREE)
    (tmp_path / "zookeeper").write_text("a file where ZooKeeper wants a folder")
    with pytest.raises(StackError, match=r"pinot ended while it started:\n(.*\n)*.*zookeeper"):
        other.start(say=lambda _: None)
    assert not any(process.pid() for process in other.processes)
    assert stack.running()


@pytest.mark.stack
def test_start_of_a_running_stack_is_harmless(stack: Stack) -> None:
    """A running stack is left unchanged."""
    before = [process.pid() for process in stack.processes]
    stack.start(say=lambda _: None)
    assert [process.pid() for process in stack.processes] == before


@pytest.mark.stack
def test_a_part_starts_and_ends_alone(stack: Stack, tmp_path: Path) -> None:
    """Kafka starts alone, keeps its data over a restart, and does not affect the rest."""
    other = Stack.at(tmp_path, FREE)
    other.start("kafka", say=lambda _: None)
    try:
        set_up_topics(other.kafka_access, partitions=2, replication=1)
        assert [process.pid() is not None for process in other.processes] == [True, False]
        assert not other.running()
        other.stop("kafka")
        assert [process.pid() for process in other.processes] == [None, None]
        other.start("kafka", say=lambda _: None)
        assert count_partitions(other.kafka, "parkrun") == 2
    finally:
        other.stop()
    assert stack.running()


@pytest.mark.stack
def test_ports_of_a_running_stack_are_in_use(stack: Stack, tmp_path: Path) -> None:
    """A second stack on the ports of a running one fails before it starts a process."""
    other = Stack(tmp_path, stack.ports)
    with pytest.raises(StackError, match=f"port {stack.ports.kafka}, needed for kafka, is in use"):
        other.start(say=lambda _: None)


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_missing_java_skips_the_tests_but_fails_in_ci(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Java the tests of the stack are skipped with a reason, but fail in CI."""
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(jars, "missing", lambda _: "there is no Java")
    with pytest.raises(outcome, match="Kafka and Pinot, but there is no Java"):
        need_java_and_jars()
    with pytest.raises(outcome, match="a schema registry, but there is no Java"):
        need_java_and_jars("a schema registry", [registry.PROFILE])
