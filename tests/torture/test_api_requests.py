"""A short run of generated API requests, valid and invalid."""

from tests.torture import api_requests


def test_generated_requests() -> None:
    """Every response conforms to the OpenAPI document, and the simulator then stops cleanly."""
    result = api_requests.run(900)

    assert result.failures == []
    assert result.passed
    assert result.inputs >= 900
    assert result.accepted > 300
    assert result.rejected > 300
