"""Programs that show how to use Racecast."""
