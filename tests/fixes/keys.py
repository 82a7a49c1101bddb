"""Keys of the person and of this machine (security §9.1)."""

from fixes.model import Cut, Fix

KEYS = "tests/redact/test_redact_keys.py::"
EXITS = "tests/redact/test_redact_exits.py::"

FIXES = (
    Fix(
        name="key-file-of-ones-own",
        threat="§9.1: a key in a file that others can read",
        says="a key file that others can read is refused",
        cuts=(Cut("keys.py", "found.st_mode & 0o077:", "found.st_mode & 0:"),),
        tests=(f"{KEYS}test_a_file_that_others_can_read_is_refused_and_what_to_do_is_said",),
    ),
    Fix(
        name="key-file-is-no-link",
        threat="§7: a link in the place of a private file",
        says="the key file is opened without following a link",
        cuts=(Cut("keys.py", 'getattr(os, "O_NOFOLLOW", 0)', "0"),),
        tests=(f"{KEYS}test_a_link_in_the_files_place_is_refused_for_reading_and_for_writing",),
    ),
    Fix(
        name="key-for-one-service",
        threat="§2.3: a base URL from elsewhere takes the key",
        says="a stored key is given to the service that it was stored for alone",
        cuts=(Cut("keys.py", "    return (base_url or DEFAULT_URL)", "    return DEFAULT_URL or (base_url or '')"),),
        tests=(f"{KEYS}test_a_key_is_given_to_the_service_that_it_was_stored_for_and_to_no_other",),
    ),
    Fix(
        name="keyring-round-trip",
        threat="§9.1: a keyring that loses or shows what it gets",
        says="a keyring is taken only after it gave a probe back",
        cuts=(
            Cut("keys.py", "if backend is not None and _works(backend) and ", "if backend is not None and "),
            Cut("keys.py", "    return bool(backend.get_password(SERVICE, url) == key)", "    return True"),
        ),
        tests=(
            f"{KEYS}test_a_keyring_that_does_not_keep_secrets_is_not_taken[loses]",
            f"{KEYS}test_a_keyring_that_does_not_keep_secrets_is_not_taken[another]",
        ),
    ),
    Fix(
        name="closed-process",
        threat="§9.1: /proc/PID/environ and the memory of the process that holds the key",
        says="daemon and engine make themselves unreadable to others of the same user",
        cuts=(Cut("keys.py", ".prctl(set_dumpable, 0, 0, 0, 0) == 0)", ".prctl(set_dumpable, 1, 0, 0, 0) == 0)"),),
        tests=(f"{KEYS}test_a_process_that_closed_itself_shows_its_environment_to_no_other_of_the_same_user",),
    ),
    Fix(
        name="daemon-knows-the-stored-key",
        threat="§9.3 layer 1: the model's key in a changelog, a worklog or what a reviewer reads",
        says="what is told outside of a run is cleaned of the stored keys and of what clients brought, too",
        cuts=(
            Cut("keys.py", "        for url in _read():\n", "        for url in ():\n"),
            Cut("daemon/environment.py", "                keys.tell(name, value)\n", ""),
        ),
        tests=(f"{KEYS}test_one_way_to_make_a_redactor_knows_environment_stored_keys_and_what_a_client_brought",),
    ),
    Fix(
        name="no-secret-at-the-start",
        threat="§9.1, §6.3: secrets in the environment that a process begins with",
        says="secret variables go to daemon and engine by standard input",
        cuts=(Cut("launch.py", "if is_secret(name, value)}", "if False}"),),
        tests=(
            f"{KEYS}test_a_process_begins_without_secrets_and_is_told_them",
            f"{KEYS}test_a_daemon_that_is_started_shows_no_secret_of_its_starter",
            f"{EXITS}test_no_secret_of_the_daemons_environment_stands_in_the_engines",
        ),
    ),
)
