"""How Kafka and Pinot are reached, for the dashboard: the same settings, and words for wrong ones.

`dashboard/` and `simulator/` share nothing but the contracts; what both of them need of the settings comes to
the dashboard from here, as from the set-up that belongs to both.
"""

from __future__ import annotations

from simulator.flags import Secret, read_settings
from simulator.kafka_access import KafkaAccess
from simulator.pinot_access import PinotAccess
from simulator.pinot_controller import OPEN, Admission, denied, refusal
from simulator.problems import flag_sentences

__all__ = [
    "OPEN",
    "Admission",
    "KafkaAccess",
    "PinotAccess",
    "Secret",
    "denied",
    "flag_sentences",
    "read_settings",
    "refusal",
]
