"""docker-compose.yml, run for real: a Docker engine, images or stand-ins for them, and what has to hold."""
