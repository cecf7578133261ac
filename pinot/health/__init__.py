"""Whether the stream is alive: probes of its parts, and a pure judgement of what they find."""
