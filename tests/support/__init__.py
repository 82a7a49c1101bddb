"""Real projects and real processes for tests: nothing here stands in for a part of devloop but the model's words."""
