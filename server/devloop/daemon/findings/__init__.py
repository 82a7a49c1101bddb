"""What reviews found: kept in the state directory, found again in files that move on, dismissed by the person.

`findings.Findings` keeps them, `service.FindingsService` answers front-ends; the first is loaded when there is need.
"""
