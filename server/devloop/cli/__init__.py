"""The terminal's front-end. `entry.main` is the program; everything else loads only when a command needs it."""
