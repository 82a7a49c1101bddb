"""The files of `.devloop/` beside the plan (state-files): one module for each, read in every legacy shape, written in
one. Text → value → text; what touches the disk goes through `storing`.

    plan_state  next_action  sessions  context  worklog  issues  spikes  archive
    schema      the JSON Schemas that ship with them
    checking    what is wrong in any of them, with file and line
"""
