"""Every sentence of the package's Python that a person reads, in one catalogue: what a translation would replace.

In the order of the code map in CONTRIBUTING.md. A name that ends in _NEXT is a next step; it goes with the name before
it, or with all that give it. Templates are whole sentences, filled by `str.format` once, with plurals of their own.
What fills them is a name, a number, a path, somebody else's words, or a phrase that stands for one of these; never a
secret, only its fingerprint. `Final` lets mypy compare the fields of each with what a call gives.

Elsewhere stand the page's own words: `TEXT` in static/widget.js, and what JupyterLab's translator is given in
labextension/. The sandbox is not of the product, and says what it says where it says it.
"""

from typing import Final

# -- Said in several places

KEY_REFUSED_BECAUSE: Final = "The server refused this key. {why}"
NEW_KEY_AT_TERMINAL_NEXT: Final = (
    "Create a new one under My Account → Profile → API Keys, then run `luminary-auth login --key`."
)
CANCELLED: Final = "This sign-in was cancelled."
PASTE_UNASKED: Final = "No sign-in is waiting for an address."
STORE_DAMAGED_NEXT: Final = "Sign in with the browser: the file is then moved aside, and a new one written."
UNEXPECTED: Final = "Something unexpected happened ({error})."
TRY_AGAIN: Final = "Try again."
SIGNED_OUT_ON_THIS_MACHINE: Final = "Signed out on this machine."
# Where a credential is from; compared with, as well.
SOURCE_CELL: Final = "cell"
SOURCE_ENVIRONMENT: Final = "environment"
SOURCE_PASTED: Final = "pasted"
SOURCE_SESSION: Final = "browser session"

# -- The `luminary-auth` command: its help, and what it says by itself (cli.py)

CLI_WHAT: Final = "Sign in to Luminary Cloud, for notebooks and scripts."
CLI_EXIT_CODES: Final = "Exit codes: 0 signed in or done, 1 not, 2 wrong usage, 130 interrupted."
CLI_JSON_MORE: Final = (
    "With --json, one object: state (not_asked, signed_in, unverified, expired, rejected, signed_out), method "
    "(api_key, browser, or null), source, fingerprint (the last four characters), identity, environment, endpoint, "
    "sandbox, signed_in_at, expires_at, expiry (recorded, about, noted, unknown), checked_at, message, next_step, "
    "in_scripts (what a plain script takes here, or null) and not_used (the other credentials found). Times are ISO "
    "8601 in UTC, or null. No secret is in it."
)
CLI_NEEDS_A_PERSON: Final = "Needs a terminal; for unattended runs set LC_API_KEY."
CLI_STATUS: Final = "show which credential the SDK takes here; asks no server"
CLI_STATUS_MORE: Final = (
    "Looks at the environment, .env and the stored session alone. Exit code 0: a credential is there; `luminary-auth "
    "check` tells whether it is still good."
)
CLI_LOGIN: Final = "sign in with the browser, or with an API key"
CLI_LOGIN_MORE: Final = "Shows a link, and waits 5 minutes for the browser. Kernels and scripts are signed in as well."
CLI_LOGOUT: Final = "end the stored browser session, here and at the server"
CLI_LOGOUT_MORE: Final = (
    "Kernels that use the session follow within seconds. API keys are left alone. Exit code 1: the server was not "
    "told, or the session still stands on the disk."
)
CLI_CHECK: Final = "ask the server whether it accepts the credential"
CLI_CHECK_MORE: Final = "Exit code 0: the server said yes."
CLI_SCAN: Final = "search notebooks for your credentials, before you share them"
CLI_SCAN_MORE: Final = (
    "Finds the credentials that are known on this machine, and no others: LC_API_KEY, the keys in .env files from here "
    "and from each file's folder upward, and the stored session; as they are, or in JSON, base64 or URL form. "
    "Compressed data is not looked into. Exit codes: 0 clean, 1 found, 2 something could not be searched."
)
CLI_JSON: Final = "print an object for programs"
CLI_PATH: Final = "a folder (every .ipynb below it), or a file of any kind"
CLI_SANDBOX: Final = "run a Luminary Cloud on this machine, for trying things out (needs the extra [sandbox])"
CLI_BROWSER: Final = "sign in with the browser (the default)"
CLI_KEY: Final = "ask for an API key, or read it from a pipe, and keep it in .env"
CLI_ENV_FILE: Final = "with --key: the file to keep it in"
CLI_ENVIRONMENT: Final = "which Luminary Cloud; default: standard"
CLI_NO_OPEN: Final = "show the link only, open no browser"
CLI_UNRECOGNIZED: Final = "unrecognized arguments: {arguments}"
CLI_CANCELLED: Final = "Cancelled."
CLI_ENV_FILE_WITHOUT_KEY: Final = "--env-file goes with --key: a browser session is kept by the SDK."
CLI_NO_SESSION: Final = "No browser session is stored on this machine."
CLI_KEY_LEFT_ALONE: Final = "The API key {fingerprint} in {place} is left alone, and stays valid until revoked."
CLI_NO_SUCH_PATH: Final = "There is no {path}."
CLI_NO_SUCH_PATH_NEXT: Final = "Name notebooks, or folders that hold some."
CLI_SANDBOX_NEEDS: Final = "The sandbox needs {library}."
CLI_SANDBOX_NEEDS_NEXT: Final = "Run: pip install 'luminary-auth-widget[sandbox]'"

# -- Signing in at a terminal (terminal.py)

TERMINAL_NEEDED: Final = "Nobody is here to sign in: standard input is no terminal."
TERMINAL_NEEDED_NEXT: Final = "Run this in a terminal, or set LC_API_KEY for a run without a person."
TERMINAL_NOT_SIGNED_IN: Final = "Not signed in."
TERMINAL_ASK_FOR_KEY: Final = "API key (stays hidden): "
TERMINAL_STARTING: Final = "Starting …"
TERMINAL_FINISHING: Final = "Finishing …"
TERMINAL_WAITING: Final = "Waiting for the browser: {minutes}:{seconds:02} left"
TERMINAL_OPEN_ON_HUB: Final = (
    "Open this page of your Jupyter server; put its name in front, as your address bar has it:"
)
TERMINAL_OPENED: Final = "Your browser should have opened this page; if not, open it yourself:"
TERMINAL_OPEN: Final = "Open this page:"
TERMINAL_PASTE: Final = (
    "Browser on another machine? It ends on a page that cannot connect. Paste that page's address here and press\n"
    "Enter; what you paste stays hidden. Ctrl-C cancels."
)
TERMINAL_PASTED: Final = "The address has arrived."

# -- What a terminal is told of the sign-in (report.py)

REPORT_LOGIN_NEXT: Final = "Run `luminary-auth login`."
REPORT_CHECK_NEXT: Final = "Run `luminary-auth check` to ask the server."
REPORT_SESSION_FOUND: Final = "Luminary Cloud: Browser session found, not checked ({fingerprint} from {source})"
REPORT_KEY_FOUND: Final = "Luminary Cloud: API key found, not checked ({fingerprint} from {source})"
REPORT_SANDBOX: Final = "This terminal is bound to the sandbox on this machine."
REPORT_ITAR: Final = "It belongs to the ITAR environment."
REPORT_NOT_USED: Final = "Not used: {credential}."
REPORT_NOT_USED_BLOCKED: Final = "Not used: {credential}, because LC_API_KEY is set but empty."
REPORT_SCRIPTS_TAKE: Final = "A plain script here takes {credential}."
REPORT_SCRIPTS_TAKE_NOTHING: Final = "A plain script here takes nothing."
REPORT_SCRIPTS_NEXT: Final = "To take {file}, it calls dotenv.load_dotenv() before it imports luminarycloud."
REPORT_BLOCKED: Final = "LC_API_KEY is set but empty here, which keeps the SDK from reading .env."
REPORT_BLOCKED_NEXT: Final = "Run `unset LC_API_KEY`."
REPORT_ANOTHER_FIRST: Final = "But in this folder, the SDK takes {credential} first."
REPORT_ANOTHER_FIRST_NEXT: Final = "Remove it there, if this sign-in is to be used."
REPORT_KEY: Final = "the API key {fingerprint} from {place}"
REPORT_SESSION_AT: Final = "the browser session {fingerprint} in {path}"
REPORT_SESSION: Final = "the browser session {fingerprint}"
REPORT_THE_ENVIRONMENT: Final = "the environment"
REPORT_NO_END: Final = "No end is known."
ENDED: Final = "It should have ended {moment.day} {moment:%b %Y, %H:%M}."
ENDED_ABOUT: Final = "It should have ended about {moment.day} {moment:%b %Y, %H:%M}."
ENDED_NOTED: Final = "It should have ended {moment.day} {moment:%b %Y, %H:%M}, as you have noted."
UNTIL: Final = "Until {moment.day} {moment:%b %Y, %H:%M} ({left} left)."
UNTIL_ABOUT: Final = "Until about {moment.day} {moment:%b %Y, %H:%M} ({left} left)."
UNTIL_NOTED: Final = "Until {moment.day} {moment:%b %Y, %H:%M} ({left} left, as you have noted)."
LEFT_DAY: Final = "1 day {hours} h"
LEFT_DAYS: Final = "{days} days {hours} h"
LEFT_HOURS: Final = "{hours} h {minutes} min"
LEFT_MINUTES: Final = "{minutes} min"

# -- Searching files for credentials (scan.py)

SCAN_NOTHING_KNOWN: Final = "No credential is known on this machine, so there was nothing to search for."
SCAN_NOTHING_FOUND: Final = (
    "Nothing found: {files} searched for {credentials}.\n"
    "A credential that is not known on this machine would not be found."
)
SCAN_FOUND: Final = (
    "Found in {places} in {holding}: {files} searched for {credentials}.\n"
    "Next: revoke the key under My Account → Profile → API Keys; end a session with `luminary-auth logout`.\n"
    "Then clear the output or delete the cell, save, and scan again. Git keeps older versions of a file."
)
SCAN_FILE: Final = "1 file"
SCAN_FILES: Final = "{count} files"
SCAN_PLACE: Final = "1 place"
SCAN_PLACES: Final = "{count} places"
SCAN_UNREADABLE: Final = "{path} cannot be read: {why}."
SCAN_NOT_REGULAR: Final = "it is no regular file"
SCAN_KEY_UNREADABLE: Final = "Not searched for: the key in {path}. {why}"
SCAN_NOT_SEARCHED: Final = "Not searched for: {why}"
SCAN_TOO_SHORT: Final = "Not searched for: the credential from {source} is too short to tell."
SCAN_KEY: Final = "API key {fingerprint} from {source}"
SCAN_IN_FILE: Final = "in the file"
SCAN_CELL_RUN: Final = "cell {number} (In [{count}])"
SCAN_CELL: Final = "cell {number}"
SCAN_SOURCE: Final = "source"
SCAN_OUTPUT: Final = "output"
SCAN_METADATA: Final = "metadata"
SCAN_ATTACHMENT: Final = "attachment"
SCAN_ELSEWHERE: Final = "elsewhere"
SCAN_WIDGET_STATE: Final = "the notebook's widget state"
SCAN_NOTEBOOK_METADATA: Final = "the notebook's metadata"

# -- `%luminary` (magics.py)

MAGIC_UNKNOWN: Final = "There is no `%luminary {given}`. These are there:\n{commands}"

# -- Around each cell (rescue.py)

RESCUE_FAILED: Final = "Looking at a cell has failed."

# -- What the page cannot mean (widget.py)

NO_DATE: Final = "That is no date."
NO_DATE_NEXT: Final = "Choose the day on which the key ends."

# -- The card: endpoint, subtitle, rows, the cell that has stopped, facts and diagnostics (presentation.py)

ENDPOINT_SANDBOX: Final = "sandbox on this machine"
REMEMBER_IN: Final = "Remember in {path}"
SUBTITLE_BROWSER: Final = "signed in by browser"
SUBTITLE_PASTED: Final = "pasted key {fingerprint}"
SUBTITLE_ENVIRONMENT: Final = "key {fingerprint} provided by the environment"
SUBTITLE_KEY: Final = "key {fingerprint} from {source}"
SUBTITLE_NOTHING: Final = "Nothing found in the environment, .env or the token store"
SUBTITLE_SANDBOX: Final = "This is the sandbox: enter no password or key of yours"
ENV_FOUND: Final = "found at {path}, key {fingerprint}"
TITLE_ENVIRONMENT: Final = "Environment"
TITLE_SESSION: Final = "Browser session"
TITLE_GIVEN: Final = "Given here"
DETAIL_KEY: Final = "key {fingerprint}"
DETAIL_SESSION: Final = "{fingerprint}, in {path}"
DETAIL_RECORDED: Final = "{fingerprint}, in {path}; its end is recorded from the sign-in"
DETAIL_ABOUT: Final = "{fingerprint}, in {path}; its end is estimated from the file's age"
DETAIL_UNKNOWN: Final = "{fingerprint}, in {path}; its end is unknown, since renewals rewrite the file"
NOTE_REFUSED: Final = "refused by the server"
NOTE_THIS_KERNEL_ONLY: Final = "in this kernel only"
NOTE_SAME_KEY: Final = "the same key"
NOTE_USED_AGAIN: Final = "used again after a kernel restart"
NOTE_BLOCKED: Final = "not read by itself: LC_API_KEY in the environment is set but empty"
NOTE_SHADOWED: Final = "shadowed by {source}"
CELL: Final = "Cell [{count}]"
CELL_UNCOUNTED: Final = "A cell"
CELL_STOPPED: Final = "{cell} stopped: {why}."
CELL_CAN_RUN: Final = "{cell} can run again."
STOPPED_SIGNED_OUT: Final = "nobody was signed in"
STOPPED_CHECKING: Final = "the server is being asked why"
STOPPED_UNVERIFIED: Final = "the server could not be asked"
STOPPED_EXPIRED: Final = "the session is over"
STOPPED_REJECTED: Final = "the server refused the key"
STOPPED_OWN_CLIENT: Final = "a client that this notebook has set was refused"
STOPPED_NEXT: Final = "Sign in here, then run it again."
STOPPED_OWN_CLIENT_NEXT: Final = "Sign in anew to replace that client."
STOPPED_NO_MORE: Final = "You are signed in."
FACT_NOT_INSTALLED: Final = "luminarycloud is not installed"
FACT_WIDGET: Final = "This widget"
FACT_CELLS: Final = "Cells use"
FACT_THREADS: Final = "Threads use"
FACT_THE_CLIENT: Final = "the client of this widget"
FACT_OWN_CLIENT: Final = "a client set by you, until you sign in anew"
FACT_FIRST_CLIENT: Final = "the client that they began with"
FACT_WAIT: Final = "To wait in a cell"
FACT_NOT_USED: Final = "Not used"
FACT_DOCUMENTED_FILE: Final = "{path}: the documentation names it, the SDK does not read it"
FACT_ENV_FILE: Final = "SDK and .env"
FACT_ENV_FILE_READ: Final = "importing luminarycloud reads all of {path} into the environment"
FACT_ALSO_IN_IT: Final = "Also in it"
FACT_NO_KERNEL: Final = "none"
DIAGNOSTICS_UNDER_WAY: Final = "sign-in under way"
DIAGNOSTICS_ENDS: Final = "ends"
DIAGNOSTICS_CHECKED: Final = "checked"
DIAGNOSTICS_IN_USE: Final = "in use"
DIAGNOSTICS_MACHINE: Final = "Machine"
DIAGNOSTICS_UNKNOWN: Final = "unknown"

# -- What stands there where no widget draws (plain.py)

PLAIN_SIGNED_OUT: Final = "Not signed in"
PLAIN_CHECKING: Final = "Signed in; the server is being asked"
PLAIN_SIGNED_IN: Final = "Signed in"
PLAIN_UNVERIFIED: Final = "Signed in, but the server could not be asked"
PLAIN_EXPIRED: Final = "The session is over"
PLAIN_REJECTED: Final = "The server refused the key"
PLAIN_LINE: Final = "Luminary Cloud: {state}."

# -- The workers of a Dask cluster (dask.py)

DASK_MISSING: Final = "{library} is not installed. Run: %pip install 'luminary-auth-widget[dask]'"
DASK_ASYNCHRONOUS: Final = "This Dask client is asynchronous; the workers were not signed in."
DASK_ASYNCHRONOUS_NEXT: Final = "Connect a second one: distributed.Client(client.scheduler.address)."
DASK_WORKERS: Final = "<Workers of {address}, signed in as this kernel>"
DASK_WORKERS_LEFT: Final = "<Workers of {address}, no longer signed in by this kernel>"
DASK_TAKEN_OVER: Final = "Another kernel has signed this Dask cluster in; this one no longer follows."
DASK_NOT_TOLD: Final = "The Dask workers could not be told of the sign-in ({error})."
DASK_UNENCRYPTED: Final = (
    "The way to {address} is not encrypted: others on the network can read the key or the access token that the "
    "workers are given. Start the cluster with TLS (distributed.Security)."
)
DASK_FAILED: Final = "The Dask workers could not be signed in ({error})."
DASK_FAILED_NEXT: Final = (
    "Install luminary-auth-widget where they run, in the same version, and look at a worker's log."
)

# -- The session's intents, and what came of them (session.py)

SOURCE_GONE: Final = "That credential is no longer there."
SOURCE_GONE_NEXT: Final = "Look at Details again."
NOTHING_TO_RETRY: Final = "There is nothing to try again."
NOTHING_TO_RETRY_NEXT: Final = "Give the key once more."
NOTHING_TO_CHECK: Final = "Nothing is in use that could be checked."
NOTHING_TO_CHECK_NEXT: Final = "Sign in first."
IMPORT_INTERRUPTED: Final = "Interrupted before the SDK was imported."
SIGN_IN_INTERRUPTED: Final = "Interrupted before anything was in use."
IMPORT_INTERRUPTED_NEXT: Final = "Run the cell again."
CHECK_INTERRUPTED: Final = "The check was interrupted."
CHECK_INTERRUPTED_NEXT: Final = "Check again."
SIGNED_OUT: Final = "Signed out of this kernel."
SIGNED_OUT_HERE: Final = "Signed out of this kernel. The session goes on elsewhere."
SIGNED_OUT_OF_KEY: Final = "Signed out of this kernel; the key itself stays valid until it is revoked."
SIGNED_OUT_EVERYWHERE: Final = (
    "Signed out everywhere: the session is over at the server, and other kernels follow within seconds."
)
SIGNED_OUT_UNTOLD: Final = "The server was not told: {why}"
SIGNED_OUT_STILL_STORED: Final = "The session still stands on the disk: {why}"
SIGNED_OUT_ELSEWHERE: Final = "Signed out in another kernel or program."
SESSION_USED_AGAIN: Final = "After a kernel restart, the stored browser session is used again."
KEY_USED_AGAIN: Final = "After a kernel restart, the key in {source} is used again."
KEY_BROUGHT_BACK: Final = "{path} holds the earlier key {fingerprint} again, for the next kernel."
KEY_FORGOTTEN: Final = "The key was taken out of {path}."
KEY_NOT_THERE: Final = "{path} does not hold this key."
KEPT_FROM_GIT: Final = "{ignoring} now keeps {file} out of git."
NO_KEY_IN_USE: Final = "No API key is in use."
NO_KEY_IN_USE_NEXT: Final = "Sign in with a key first."
SESSION_TIGHTENED: Final = "Others could read the stored session; it is now readable by you alone."
END_NOT_KEPT: Final = "The key's end is known in this kernel only. {why}"
KEY_NOT_REMEMBERED: Final = "Signed in, but the key was not remembered. {why}"
END_BEYOND_CALENDAR: Final = "No key ends on that day."
END_BEYOND_CALENDAR_NEXT: Final = "Choose another date, or leave it open."
END_PAST: Final = "The key's end lies in the past."
END_PAST_NEXT: Final = "Choose a later date, or leave it open."

# -- Worker processes (workers.py)

WORKER_UNSHARED: Final = "This session lives in this kernel only: other processes find nothing in the SDK's store."
WORKER_UNSHARED_NEXT: Final = "Make its folder writable and sign in with the browser again, or use an API key."
WORKER_UNTOLD: Final = "A worker needs to be told how to sign in."
WORKER_UNTOLD_NEXT: Final = "Use initargs=(session.environ(),)."

# -- Waiting for a click (waiting.py)

WAIT_INSTEAD_OF_WAIT: Final = "Use `await session` in place of `session.wait()`."
WAIT_INSTEAD_OF_AWAIT: Final = "Use `session.wait()` in place of `await session`."
WAIT_BETWEEN_CELLS: Final = (
    "This page's clicks reach the kernel only between cells. Interrupt this cell, sign in, then run it again; a "
    "sign-in that is under way, or in another kernel or a terminal, is noticed here."
)
WAIT_INTERRUPTED: Final = "Interrupted: nobody has signed in yet. Sign in above, then run this cell again."
WAIT_OR: Final = " or "
WAIT_NO_WAY: Final = "sign in first: clicks wait for the running cell here"
WAIT_NO_TIME_SPAN: Final = "The limit of the wait is no time span."
WAIT_NO_TIME_SPAN_NEXT: Final = "Give one: timedelta(minutes=10), for example."
WAIT_UNHEARD: Final = "A click does not reach a cell that waits in this way."
WAIT_OVER: Final = "Nobody has signed in within {minutes:.3g} min."
WAIT_OVER_NEXT: Final = "Sign in, then run this cell again."

# -- For runs that nobody watches (requiring.py)

REQUIRE_NO_TIME_SPAN: Final = "`at_least` is no time span."
REQUIRE_NO_TIME_SPAN_NEXT: Final = "Give one: timedelta(hours=8), for example."
REQUIRE_UNVERIFIED: Final = "The server did not answer within {seconds:.0f} s."
REQUIRE_UNVERIFIED_NEXT: Final = "Check the connection, then start again."
REQUIRE_REFUSED: Final = "The server refused the key {fingerprint} from {source}. {why}"
REQUIRE_END_UNKNOWN: Final = "Nobody knows whether this sign-in lasts for {span}: its end is unknown."
REQUIRE_TOO_SOON: Final = (
    "The sign-in ends on {end:%d %b %Y, %H:%M} UTC, in {left}: {missing} too soon for work of {span}."
)
REQUIRE_TOO_SOON_NEXT: Final = (
    "Sign in with the browser again, or set LC_API_KEY to a key that lasts longer, and start again."
)
SPAN_DAYS: Final = "{count} d"
SPAN_HOURS: Final = "{count} h"
SPAN_MINUTES: Final = "{count} min"
SPAN_NONE: Final = "less than a minute"

# -- Which Luminary Cloud is meant (environments.py)

ENVIRONMENT_UNKNOWN: Final = "There is no environment {environment!r}."
ENVIRONMENT_UNKNOWN_NEXT: Final = 'Choose "standard" or "itar".'
ENVIRONMENT_OF_SANDBOX: Final = "The sandbox has no ITAR environment."
ENVIRONMENT_OF_SANDBOX_NEXT: Final = "Restart the kernel, and leave out sandbox.use()."
FOREIGN_SESSION: Final = "The stored browser session belongs to the {environment} environment; it was not sent."
FOREIGN_KEY: Final = "The key in {source} belongs to the {environment} environment; it was not sent."
SESSION_OF_OTHER_SERVER: Final = "The stored browser session was made for {host}; it was not sent elsewhere."
SESSION_OF_OTHER_SERVER_NEXT: Final = "Sign in anew, or leave out target to use that session."
FOREIGN_NEXT: Final = "Switch the environment under Details, or sign in anew."

# -- A browser sign-in on the board (browser_sign_in.py)

LINK_LATE: Final = "The SDK did not make a link in time."
PASTE_UNASKED_NEXT: Final = "Sign in with the browser first."
STRANGER: Final = "Something else came to the port that waits for your browser, and was turned away."
STRANGER_NEXT: Final = "Go on with the newest log-in page; this sign-in still waits."
SDK_ENVIRONMENT: Final = "The SDK knows no environment {environment!r}."
SDK_ENVIRONMENT_NEXT: Final = "Update luminarycloud."

# -- The board (board.py)

LISTENER_FAILED: Final = "A function that was given to on_change() has failed."

# -- Notices beside the state, and their buttons (notices.py)

KEY_IN_NOTEBOOK: Final = (
    "The key stands in this notebook's code and is saved with it. Keep it in {path}, then delete it here."
)
COPY_TO: Final = "Copy to {path}"
KEY_NOT_READ_AGAIN: Final = (
    "After a kernel restart, the key is not read by itself: LC_API_KEY in the environment is set but empty."
)
ANOTHER_KEY_USED_AGAIN: Final = "After a kernel restart, the key in {source} ({fingerprint}) is used again."
OPEN_FOLDER_OF_KEY: Final = (
    "Other users can write to {folder}, and put a key of theirs in the place of yours. Make it yours alone, or keep "
    "the key elsewhere."
)
OPEN_FOLDER_OF_SESSION: Final = (
    "Other users can write to {folder}, and put a session of theirs in the place of yours. Make it yours alone, or "
    "keep the session elsewhere."
)
SESSION_NOT_KEPT: Final = "This session lives in this kernel only, and is not kept. {why}"
STORE_REPLACED: Final = "The token store was damaged. It was moved to {path}, and a new one written."
FILE_TIGHTENED: Final = "Others could read {path}; it is now readable by you alone."
OTHER_SESSION_REPLACED: Final = "The SDK keeps one session only: this one took the place of the other environment's."
ACCOUNT_CHANGED: Final = "The account has changed: was {before}, now {now}."
A_LINK_TO: Final = "{link}, a link to {path}"
KEY_REMEMBERED: Final = "Remembered in {path}."
KEY_REMEMBERED_TIGHTENED: Final = "Remembered in {path}; the file is now readable by you alone."
KEY_WAS_THERE: Final = "{path} holds this key already."
KEY_WAS_THERE_TIGHTENED: Final = "{path} holds this key already; the file is now readable by you alone."
KEY_REPLACED: Final = "Replaced the key in {path}."
KEY_REPLACED_TIGHTENED: Final = "Replaced the key in {path}; the file is now readable by you alone."
PLAIN_SCRIPTS: Final = "Plain scripts read it with load_dotenv() before they import luminarycloud."
UNDO: Final = "Undo"
GIT_WOULD_ADD: Final = "Git would add {path} to a commit."
GIT_IGNORE: Final = "Add to .gitignore"
GIT_TRACKS: Final = "Git already tracks {path}. Run `git rm --cached {file}`, and create a new key if it was pushed."

# -- The credential in use (in_use.py)

FOREIGN_KEY_GIVEN: Final = "This key belongs to the {environment} environment; it was not sent."
FOREIGN_KEY_GIVEN_NEXT: Final = "Switch the environment under Details, or use another key."
STANDARD: Final = "Standard"

# -- The login in its child process, and the pasted address (browser_login.py)

LOGIN_TRY_AGAIN: Final = "Try again; what was signed in before still is."
LOGIN_NOT_STARTED: Final = "A process for the log-in could not be started: {why}."
WITH_A_KEY_NEXT: Final = "Sign in with an API key."
PASTE_NEXT: Final = "Copy the whole address of the page on which the browser ended, after signing in."
LOGIN_WITHOUT_A_WORD: Final = "it ended without a word"
PASTE_NOTHING: Final = "No address was pasted."
PASTE_ANOTHER_PAGE: Final = "This is not the address that the browser ends on: that begins with {begin}"
PASTE_PART_MISSING: Final = "A part of the address is missing: it holds code=… and state=…."
PASTE_ANOTHER_LOGIN: Final = "This address belongs to another sign-in, or an earlier one."
PASTE_END_MISSING: Final = "The end of the address is missing."
PASTE_SEVERAL_ANSWERS: Final = "The address holds more than one answer of the log-in page."
PASTE_ODD_CHARACTER: Final = "The address holds a character that no address has."
LOGIN_TO_STRANGERS: Final = "This address does not belong to the sign-in under way."
LOGIN_SERVER: Final = "The log-in server"
LOGIN_DENIED: Final = "The log-in page said no ({why})."
LOGIN_TIMED_OUT: Final = "Nobody came back from the log-in page within 5 minutes."
PORTS_TAKEN: Final = (
    "All four ports that a login may come back to (10001, 9876, 22223, 5000) are taken on this machine."
)
PORTS_TAKEN_NEXT: Final = (
    "Sign-ins under way here, other people's among them, let go of theirs within 5 minutes. Try again then, or sign in "
    "with an API key."
)
NO_LOOPBACK: Final = "This machine has no address 127.0.0.1, on which a browser sign-in comes back."
LOGIN_SERVER_FAILED: Final = "{host} answered with a failure (HTTP {status})."
LOGIN_FAILED: Final = "The SDK's login failed ({why})."

# -- What the servers said, or did not (servers.py)

CONNECTION_NEXT: Final = "Check the connection, then try again."
PORTAL_NEXT: Final = "If this network asks for a log-in of its own, open any web page to see it; then try again."
SIGN_IN_AGAIN_NEXT: Final = "Sign in with the browser again."
NEW_KEY_NEXT: Final = "Create a new one under My Account → Profile → API Keys, then paste it here."
KEY_REFUSED: Final = "It was revoked, deleted or has expired."
SESSION_NO_LONGER_ACCEPTED: Final = "The server no longer accepts this session."
SESSION_OVER: Final = "The server said that the session is over."
STORE_DAMAGED: Final = "The SDK's token store is damaged or cannot be read."
NO_SESSION: Final = "No browser session is stored here."
NO_SESSION_NEXT: Final = "Sign in with the browser."
CERTIFICATE_BY_CLOCK: Final = "{host} showed a certificate that is not valid at the time of this machine's clock."
CLOCK_NEXT: Final = "If it is not {now:%d %b %Y, %H:%M} UTC, set the clock right; then try again."
CERTIFICATE_UNTRUSTED: Final = "{host} showed a certificate that this machine does not trust."
CERTIFICATE_UNTRUSTED_NEXT: Final = "Behind a company proxy, name its CA file in {variable}, then restart the kernel."
NO_CA_FILE: Final = "{variable} names a CA file that is not there."
NO_CA_FILE_NEXT: Final = "Correct it or unset it, then try again."
SERVER_SILENT: Final = "{host} did not answer within {seconds:.0f} s."
SERVER_NAMELESS: Final = "{host} could not be found: its name has no address here (DNS)."
SERVER_UNREACHABLE: Final = "{host} could not be reached."
SERVER_UNREACHABLE_BY_PROXY: Final = "{host} could not be reached (through the proxy in {variable})."
SERVER_SENSELESS: Final = "{host} gave an answer that makes no sense."
ENDED_ALREADY: Final = "The access token that {host} gave has ended already, by this machine's clock."
SERVER_SLOW_DOWN: Final = "{host} asks to slow down (HTTP {status})."
SERVER_FAILED: Final = "{host} answered with a failure of its own."
SERVER_FAILED_HTTP: Final = "{host} answered with a failure of its own (HTTP {status})."
SERVER_FAILED_NEXT: Final = "Try again in {time}; nothing was changed."
SERVER_FAILED_HOURS: Final = "{count} hours"
SERVER_FAILED_MINUTES: Final = "{count} minutes"
SERVER_FAILED_MINUTE: Final = "a minute"

# -- The SDK (sdk.py)

SDK_CLIENT_NOT_BUILT: Final = "its Client could not be built ({error})"
SDK_CLIENT_NOT_REPLACED: Final = "its default client could not be replaced"
NOBODY: Final = "Nobody is signed in to Luminary Cloud here."
NOBODY_NEXT: Final = (
    "Set LC_API_KEY to an API key and start again; or sign in, with login() in a notebook or `luminary-auth login` in "
    "a terminal."
)
SDK_MISSING: Final = "The Luminary Cloud SDK is not installed in this kernel."
SDK_MISSING_NEXT: Final = "Run: %pip install luminarycloud"
SDK_ENV_FILE: Final = "The SDK could not be loaded: the nearest .env file is not UTF-8 text."
SDK_ENV_FILE_NEXT: Final = "Save that file as UTF-8, then run the cell again."
SDK_FOLDER: Final = "The SDK could not be loaded: {why}: {path}."
SDK_FOLDER_NEXT: Final = "Make this path usable for you, or set LC_CREDENTIALS_DIR to a folder that is."
SDK_IMPORT: Final = "The SDK could not be loaded ({error})."
SDK_IMPORT_NEXT: Final = "Run `import luminarycloud` in a cell to see why."
SDK_CHANGED: Final = "luminarycloud {version} does not work as expected: {what}."
SDK_CHANGED_NEXT: Final = "Update luminary-auth-widget, or install an earlier luminarycloud."

# -- Where credentials were found, as the person is told (sources.py)

SOURCE_SESSION_AT: Final = "browser session in {path}"
KEY_EMPTY: Final = "LC_API_KEY is set but empty."
KEY_EMPTY_NEXT: Final = "Set it to a key, or unset it."
KEY_UNUSABLE: Final = "LC_API_KEY in {source}: {why}"

# -- `.env`, and git (env_file.py)

ENV_NO_KEY: Final = "There is no LC_API_KEY in {path}."
ENV_KEY_EMPTY: Final = "LC_API_KEY in {path} is empty."
ENV_KEY_NEXT: Final = "Put a line LC_API_KEY=… with your key into it."
ENV_NOT_GIVEN_BACK: Final = (
    "{path} would not give the key back: a quote in it is left open, or the key holds characters that a .env file "
    "cannot keep."
)
ENV_NOT_GIVEN_BACK_NEXT: Final = "Set LC_API_KEY in the environment instead."
GITIGNORE_LINK: Final = "{path} is a link, which git does not follow."
GITIGNORE_LINK_NEXT: Final = "Put a file in its place, with a line {name} in it."
ENV_MISSING: Final = "{path} does not exist."
ENV_IS: Final = "{path} is {what}."
ENV_NOT_UTF8: Final = "{path} is not UTF-8 text."
ENV_UNREADABLE: Final = "{path} cannot be read: {why}."
ENV_ENDLESS: Final = "{path} holds blanks or ${{ by the thousand, as no .env file does."
ENV_NEXT: Final = "Check the path, or paste the key into the field instead."
ENV_PIPE_NEXT: Final = "Load it by dotenv.load_dotenv() in a cell before, or paste the key into the field instead."

# -- The SDK's token store (token_store.py)

STORE_NOT_THE_SDKS: Final = "The token store {path} is no file of the SDK's."
STORE_UNREADABLE: Final = "The token store {path} cannot be read: {why}."
STORE_IS_DAMAGED: Final = "The token store {path} is damaged."
STORE_HOLDS_ELSE: Final = "The token store {path} holds something else than the SDK writes."

# -- Files of any kind: what they are instead, and what came of writing them (files.py)

FILE_NO_PATH: Final = "no path of a file"
FILE_DIRECTORY: Final = "a directory, not a file"
FILE_NOT_REGULAR: Final = "no regular file"
FILE_TOO_LARGE: Final = "far too large"
FILE_NAME_IMPOSSIBLE: Final = "{path} is no name that a file can have."
FILE_NOT_WRITTEN: Final = "{path} could not be written: {why}."
FILE_ELSEWHERE_NEXT: Final = "Choose another place."
FILE_DISK_FULL_NEXT: Final = "Free some space, or choose another place."
FILE_NOT_WRITTEN_NEXT: Final = "Make the folder writable for you, or choose another place."

# -- Pasted keys (credentials.py)

GET_A_KEY_NEXT: Final = (
    "Copy the whole key from My Account → Profile → API Keys; if it is lost, create a new one there."
)
NEVER_COPIED: Final = "A Secret is neither pickled nor copied: it would be written down somewhere."
REMOVED: Final = "Removed around the key: {removed}."
REMOVED_WHITE_SPACE: Final = "white space"
REMOVED_QUOTES: Final = "quotes"
REMOVED_BRACES: Final = "braces"
REMOVED_ANGLE_BRACKETS: Final = "angle brackets"
KEY_TOO_LONG: Final = "This text is far too long for a key."
KEY_NOT_GIVEN: Final = "No key was given: the text is empty."
KEY_PLACEHOLDER: Final = "This is the documentation's placeholder, not a key."
KEY_OF_SEVERAL_LINES: Final = "The text spans several lines; a key is one word."
KEY_WITH_BLANKS: Final = "The key has blanks inside; a key is one word."
KEY_WITH_ODD_CHARACTER: Final = "The key holds a character that no key has (U+{code:04X})."

# -- The status line, and the states in a few words (status.py)

LINE: Final = "Luminary Cloud: {title}"
LINE_OF: Final = "Luminary Cloud: {title} ({fingerprint} from {source})"
STATE_KEY: Final = "Signed in with an API key"
STATE_SIGNED_IN: Final = "Signed in"
STATE_UNVERIFIED: Final = "The server could not be asked"
STATE_CHECKING: Final = "Asking the server"
STATE_EXPIRED: Final = "The session is over"
STATE_REJECTED: Final = "The server refused this key"
STATE_SIGNED_OUT: Final = "Not signed in"
