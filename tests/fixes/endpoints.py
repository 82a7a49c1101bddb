"""The daemon's socket, the editor's port, what comes over them, and what an editor in restricted mode may do."""

from __future__ import annotations

from fixes.model import Cut, Fix

ENDPOINT = "tests/daemon/test_daemon_endpoint.py"
TCP = "tests/lsp/pipe/test_lsp_tcp.py"
STRANGERS = f"{ENDPOINT}::test_a_stranger_who_listens_where_the_daemon_was_is_told_no_key"

FIXES: tuple[Fix, ...] = (
    Fix(
        name="daemon-serves-its-own-user-alone",
        threat="§12, §13.12: another user connects to the daemon's socket",
        says="the daemon asks the kernel who is at the other end (SO_PEERCRED) and serves nobody else",
        cuts=(Cut("daemon/sessions.py", 'if not same_user(writer.get_extra_info("socket")):', "if False:"),),
        tests=(
            "tests/daemon/test_daemon_lifecycle.py::test_another_user_is_refused_even_where_the_mode_would_allow_it",
        ),
    ),
    Fix(
        name="client-talks-to-its-own-user-alone",
        threat="§12: another user listens where the daemon was and is told the key",
        says="terminal and editor ask the kernel who listens before they say hello",
        cuts=(
            Cut("daemon/connect.py", 'if not same_user(writer.get_extra_info("socket")):', "if False:"),
            Cut("lsp/pipe/dial.py", "if not same_user(connected):", "if False:"),
        ),
        tests=(f"{STRANGERS}[terminal]", f"{STRANGERS}[editor]"),
    ),
    Fix(
        name="state-folder-is-the-persons-own",
        threat="§12, class 7: a folder or link that another user put where devloop keeps its state",
        says="the state directory and the folders above it belong to this user, or nothing is begun",
        cuts=(
            Cut(
                "paths.py",
                "if found.st_uid != os.getuid() or folder.lstat().st_uid not in (0, os.getuid()):",
                "if False:",
            ),
        ),
        tests=tuple(
            f"{ENDPOINT}::test_a_state_directory_of_somebody_else_is_not_used[{what}]"
            for what in ("folder", "parent", "link")
        ),
    ),
    Fix(
        name="state-folder-is-closed",
        threat="§12: a loose umask leaves the socket's folder open",
        says="the state directory has the mode 0700, whatever the umask",
        cuts=(
            Cut(
                "paths.py",
                "folder.mkdir(mode=0o700, parents=True, exist_ok=True)",
                "folder.mkdir(parents=True, exist_ok=True)",
            ),
            Cut("paths.py", "            self.path.chmod(0o700)\n", ""),
        ),
        tests=(f"{ENDPOINT}::test_with_no_umask_at_all_nobody_else_gets_in[False]",),
    ),
    Fix(
        name="loose-state-folder-is-tightened",
        threat="§12: a state directory that others can write to already",
        says="who else may write to the state directory or a folder above it loses that",
        cuts=(Cut("paths.py", "if found.st_mode & 0o022:", "if False:"),),
        tests=(f"{ENDPOINT}::test_a_loose_state_directory_is_closed",),
    ),
    Fix(
        name="socket-is-closed",
        threat="§12: a loose umask leaves the socket open",
        says="the socket has the mode 0600, whatever the umask",
        cuts=(Cut("daemon/endpoint.py", "        path.chmod(0o600)\n", ""),),
        tests=tuple(f"{ENDPOINT}::test_with_no_umask_at_all_nobody_else_gets_in[{long}]" for long in (False, True)),
    ),
    Fix(
        name="hello-comes-first",
        threat="§12: a connection that does not say who it is gives orders",
        says="nothing is done for a connection whose first message is no hello",
        cuts=(
            Cut(
                "daemon/sessions.py",
                'if first["method"] != HELLO or not isinstance(params, dict):',
                "if not isinstance(params, dict):",
            ),
        ),
        tests=(f"{ENDPOINT}::test_nothing_is_done_for_a_connection_that_did_not_say_hello",),
    ),
    Fix(
        name="first-message-is-small",
        threat="§12: a connection that nobody knows fills the daemon's memory",
        says="the first message has 1 MiB at most, and none 64",
        cuts=(Cut("rpc.py", "    if length > limit:\n", "    if False:\n"),),
        tests=(
            f"{ENDPOINT}::test_a_first_message_is_small_and_soon",
            "tests/lsp/test_lsp_bad_input.py::test_an_oversized_message_ends_a_connection_without_pipe",
        ),
    ),
    Fix(
        name="first-message-is-soon",
        threat="§12: connections that say nothing take every place",
        says="who has not said hello within ten seconds is disconnected",
        cuts=(Cut("daemon/sessions.py", "asyncio.timeout(FIRST_MESSAGE_S)", "asyncio.timeout(None)"),),
        tests=(f"{ENDPOINT}::test_connections_that_say_nothing_keep_nobody_out_for_long",),
    ),
    Fix(
        name="connections-are-bounded",
        threat="§12: connections without number use up the daemon's descriptors",
        says="there are so many connections at once and no more, fewer still before their hello",
        cuts=(
            Cut(
                "daemon/sessions.py",
                "len(self._sessions) >= MAX_CLIENTS or sum(",
                "False and sum(",
            ),
        ),
        tests=(f"{ENDPOINT}::test_there_are_so_many_places_and_no_more",),
    ),
    Fix(
        name="requests-at-once-are-bounded",
        threat="§12: one client's requests fill the daemon's memory",
        says="a connection has so many requests at once and no more",
        cuts=(Cut("rpc.py", "elif len(self._serving) >= MAX_SERVING:", "elif False:"),),
        tests=(f"{ENDPOINT}::test_one_client_has_so_many_requests_at_once_and_each_by_its_own_name",),
    ),
    Fix(
        name="requests-have-names-of-their-own",
        threat="§12: two requests of one id, of which only one can be ended",
        says="a request whose id is in use is refused",
        cuts=(Cut("rpc.py", "elif known in self._serving:", "elif False:"),),
        tests=(f"{ENDPOINT}::test_one_client_has_so_many_requests_at_once_and_each_by_its_own_name",),
    ),
    Fix(
        name="errors-tell-nothing-of-the-inside",
        threat="§12: an error's traceback tells paths and data",
        says="what went wrong inside is logged, and told as one sentence",
        cuts=(
            Cut(
                "rpc.py",
                'f"{method} failed inside devloop; the log says more."',
                '__import__("traceback").format_exc()',
            ),
        ),
        tests=("tests/fuzz/test_fuzz_rpc.py::test_a_peer_answers_every_request_once[1-of-1]",),
    ),
    Fix(
        name="nonsense-ends-no-conversation",
        threat="§12: a message that is none ends the connection of everything else on it",
        says="a body that is no message is answered as such, and the next one is read",
        cuts=(
            Cut(
                "rpc.py",
                "            except BrokenBody as problem:\n",
                "            except ZeroDivisionError as problem:\n",
            ),
        ),
        tests=("tests/fuzz/test_fuzz_rpc.py::test_a_peer_answers_every_request_once[1-of-1]",),
    ),
    Fix(
        name="port-is-on-loopback",
        threat="§12: another machine reaches the editor's port",
        says="`devloop lsp --tcp` listens on 127.0.0.1 alone",
        cuts=(Cut("lsp/pipe/tcp.py", "socket.create_server((HOST, port))", 'socket.create_server(("", port))'),),
        tests=(f"{TCP}::test_it_listens_on_loopback_only",),
    ),
    Fix(
        name="port-wants-its-token",
        threat="§12, §13.12: another user or a page in a browser connects to the editor's port",
        says="a connection shows the printed token, compared in constant time",
        cuts=(
            Cut(
                "lsp/pipe/tcp.py",
                'if not hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), self.token.encode()):',
                "if False:",
            ),
        ),
        tests=(
            f"{TCP}::test_without_the_token_it_is_refused_and_closed[{{'initializationOptions': {{'token': 'x'}}}}]",
        ),
    ),
    Fix(
        name="port-wants-its-token-first",
        threat="§12: something is done before the token was shown",
        says="the first message over the port shows the token, or the connection ends",
        cuts=(Cut("lsp/pipe/stdio.py", "if admit is not None and not (", "if False and not ("),),
        tests=(f"{TCP}::test_nothing_is_done_before_the_token_was_shown[request]",),
    ),
    Fix(
        name="port-waits-for-nobody",
        threat="§12: connections that say nothing take every place of the port",
        says="who has not shown the token within ten seconds is disconnected",
        cuts=(Cut("lsp/pipe/tcp.py", "patience = self._until - time.monotonic()", "patience = 3600.0"),),
        tests=(f"{TCP}::test_strangers_are_bounded_in_number_and_time",),
    ),
    Fix(
        name="no-http",
        threat="§12: wrong Host, wrong Origin, DNS rebinding: a page in a browser speaks to the editor's port",
        says="no request of HTTP is a message: its first line is no header, whatever the path holds",
        cuts=(Cut("lsp/pipe/frames.py", 'if not colon or b" " in name.strip():', "if not colon:"),),
        tests=(f"{TCP}::test_what_a_page_in_a_browser_can_send_is_no_message[POST /a:b HTTP/1.1]",),
    ),
    Fix(
        name="restricted-mode-asks",
        threat="§8: an editor that does not trust the folder runs something by a request",
        says="in restricted mode the server itself refuses every request that acts",
        cuts=(Cut("lsp/requests.py", "        must_be_trusted(connection)\n", "        pass\n"),),
        tests=tuple(
            f"tests/lsp/test_lsp_requests.py::test_nothing_is_done_for_an_editor_that_does_not_trust_the_folder[{name}]"
            for name in ("run", "decide", "continue")
        ),
    ),
)
