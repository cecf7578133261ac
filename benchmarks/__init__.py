"""What Racecast costs, measured: `make bench`. Results and method are in README.md beside this."""
