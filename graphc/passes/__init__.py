"""Passes: functions from programs to programs, run in a visible order."""
