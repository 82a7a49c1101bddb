"""What reviews found: kept in the state directory, found again in files that move on, dismissed by the person.

`findings.Findings` keeps them and is loaded when there is need; `daemon.findings_service` answers front-ends. What is
done about them is an errand (`daemon.errands.mending`).
"""
