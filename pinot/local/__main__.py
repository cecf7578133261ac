"""`python -m pinot.local start|stop|status|fetch`."""

import argparse
import sys
from pathlib import Path

from pinot.local import jars
from pinot.local.ports import StackError
from pinot.local.registry import PROFILE, LocalRegistry
from pinot.local.stack import USUAL_PORTS, Stack

DEFAULT_STATE = Path(__file__).parents[2] / ".run" / "stack"


def main() -> int:
    """Run a command. Return 0 on success; for `status`, 0 if the stack is running."""
    parser = argparse.ArgumentParser("python -m pinot.local", description="Kafka and Pinot without Docker.")
    parser.add_argument("action", choices=["start", "stop", "status", "fetch"])
    parser.add_argument(
        "--state", type=Path, default=DEFAULT_STATE, help="the stack's folder (default: .run/stack)"
    )
    for name, usual in USUAL_PORTS.items():
        default = f"{usual}, or the one in the stack's folder"
        parser.add_argument(f"--{name}", type=int, help=f"port, 0 for any free one (default: {default})")
    parser.add_argument(
        "--registry",
        type=int,
        help="port of a schema registry to start, or to fetch, as well; 0 for any free one",
    )
    options = parser.parse_args()
    try:
        if options.action == "fetch":
            jars.fetch(profiles=jars.PROFILES if options.registry is None else (*jars.PROFILES, PROFILE))
            return 0
        ports = {name: getattr(options, name) for name in USUAL_PORTS}
        return _run(options.action, Stack.at(options.state, ports), options.registry)
    except StackError as error:
        print(f"pinot.local: {error}", file=sys.stderr)
        return 1


def _run(action: str, stack: Stack, registry_port: int | None) -> int:
    registry = LocalRegistry.at(stack.folder, registry_port or 0)
    if action == "stop":
        stack.stop()
        registry.stop()
        print("stopped; the data remains in", stack.folder)
        return 0
    if action == "start":
        stack.start()
        if registry_port is not None:
            registry.start()
    for process in stack.processes:
        pid = process.pid()
        print(f"{process.name:11} {f'runs (pid {pid})' if pid else 'is not running'}")
    if not stack.running():
        return 1
    print(f"Kafka       {stack.kafka}\ncontroller  {stack.controller}\nbroker      {stack.broker}")
    if registry.process.pid():
        print(f"registry    {registry.url}")
    print(f"logs        {stack.folder}/*.log")
    return 0


if __name__ == "__main__":
    sys.exit(main())
