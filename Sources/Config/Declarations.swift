/// Every option there is. Checking, defaults, reference documentation and environment variables all come from here.
enum Declarations {
    /// What may stand in `base:` and in an environment's section.
    static let root = OptionGroup(options: [
        Option(
            "listen", .list(.address), default: "[127.0.0.1:8000]",
            "Where to listen: one address or a list. Port 0 takes a free port; `fd:3` an inherited socket.",
            example: "[0.0.0.0:8000, unix:/run/app.sock]"),
        Option(
            "user", .form(.account),
            "Who serves, by name or number, when the server is started as root: it binds, and everything after that runs as "
                + "this user. `HOME`, `USER` and `LOGNAME` follow.", example: "www-data"),
        Option(
            "group", .form(.account), "Its group, by name or number; the user's own if not said.", example: "www-data",
            with: ["user"]),
        Option(
            "umask", .form(.fileMode),
            "What new files and directories do not allow, in octal; that of the caller if not "
                + "said.", example: "'027'"),
        Option("socket", .group(socket), "The files of the Unix sockets that are listened on."),
        Option("workers", .group(workers), "The processes and threads that serve."),
        Option(
            "reload", .group(reload), "What brings in a new configuration and new code beside the signal HUP, and how."),
        Option(
            "warm-up", .list(.form(.requestTarget)), default: "[]",
            "Paths that each worker asks of itself before it is ready; an answer of 500 or above fails its start.",
            example: "[/, /search/]"),
        Option("sites", .map(key: .siteName, .group(SiteDeclarations.site)), "The sites, by name."),
        Option(
            "routes", .list(.group(RouteDeclarations.route)),
            "Which path goes where. The longest prefix wins; `=` exact paths and `~` regular expressions come before "
                + "prefixes. Without routes, the only site gets every path."),
        Option(
            "programs", .map(key: .programName, .group(ProgramDeclarations.program)),
            "Programs that run beside the workers, by name: started before them, kept alive, and stopped after them."),
        Option("gzip", .group(gzip), "Compression of responses; `gzip: off` switches it off."),
        Option("limits", .group(limits), "What one client may cost."),
        Option("timeouts", .group(timeouts), "How long things may take."),
        Option("websocket", .group(websocket), "How WebSockets are served."),
        Option("log", .group(log), "What is logged, and how."),
        Option(
            "smoke", .list(.group(SmokeDeclarations.step)),
            "The requests of `app smoke`, in their order, and what is expected of the answers. Cookies are kept between "
                + "them."),
        Option(
            "admin", .either([.boolean, .list(.form(.adminAddress))]), default: "true",
            "Where status is shown and commands are taken: `true` for a Unix socket without a file, for this user and root; "
                + "`false` for none; or addresses. On TCP nothing can be changed without `admin-token`.",
            example: "[unix:/run/app/admin.sock, 127.0.0.1:9000]"),
        Option(
            "admin-token", .secret,
            "What requests on TCP addresses of `admin` must carry: `Authorization: Bearer TOKEN`.",
            example: "${secret:admin_token}"),
        Option(
            "stats", .list(.form(.adminAddress)), default: "[]",
            "Where uWSGI's stats document is sent to whoever connects, for `uwsgitop` and its like.",
            example: "127.0.0.1:1717"),
        Option("health", .group(health), "The paths the server answers itself; `health: false` switches them off."),
        Option(
            "server-header", .either([.boolean, .form(.headerValue)]), default: "true",
            "The `Server` header: `true` names Portico, `false` leaves it out, text replaces it.", example: "false"),
        Option(
            "debug", .boolean, default: "false",
            "Pages that show errors with their source. `true` by default in `development`; never for the public."),
        Option(
            "debug-toolbar", .boolean, default: "true",
            "Whether pages of Swift sites show, while `debug` is on, what they have cost: time, SQL, templates."),
        Option(
            "editor", .either([.choice(editors), .form(.editorURL)]),
            "What opens a place in a file from an error page: an editor's name, or a URL with `{file}`, `{line}` and "
                + "`{column}`.", example: "vscode"),
        Option(
            "secret-key", .secret,
            "The key that signs cookies and tokens. Without one, a random key is made at start, "
                + "and sessions end with it.",
            example: "${secret:secret_key}"),
        Option("cookies", .group(cookies), "The cookies of Swift sites."),
        Option(
            "allowed-hosts", .list(.form(.allowedHost)), default: "['*']",
            "The hosts that requests may name: exact, `.example.org` with subdomains, `*` for any.",
            example: "[example.org, .example.net]"),
        Option(
            "temp-directory", .path, default: "/tmp",
            "Where large request bodies wait.", example: "/var/tmp"),
        Option(
            "silenced-checks", .list(.form(.checkID)), default: "[]",
            "Findings of `app check` that are known and accepted.",
            example: "[deploy.W003]"),
    ])

    static let cookies = OptionGroup(options: [
        Option(
            "secure", .boolean, default: "false",
            "Whether browsers send them over https alone. Always so for those set on a request that came over TLS; to be "
                + "switched on when a proxy in front speaks TLS.")
    ])

    static let socket = OptionGroup(options: [
        Option(
            "mode", .form(.fileMode), default: "0666",
            "Permissions in octal. Who may connect is who may write; the directory can keep others away."),
        Option(
            "user", .form(.account), "The owner, by name or number; without it, and started as root: `user`.",
            example: "www-data"),
        Option("group", .form(.account), "The group, by name or number; without it that of `user`.", example: "nginx"),
    ])

    private static let editors = ["vscode", "vscodium", "cursor", "zed", "idea", "sublime", "textmate", "emacs"]

    static let workers = OptionGroup(options: [
        Option(
            "mode", .choice(["process", "thread"]), default: "process",
            "`process`: each worker is a process, a crash costs one of them. `thread`: one process with event loops. "
                + "`thread` by default in `development`."),
        Option(
            "count", .either([.choice(["auto"]), .integer(1...1024)]), default: "auto",
            "Processes, or event loops in thread mode. `auto`: the CPUs this container may use. `1` by default in "
                + "`development`.", example: "4"),
        Option(
            "min", .integer(1...1024), "The fewest processes of a pool that grows and shrinks; `1` without it.",
            example: "2", with: ["max"]),
        Option(
            "max", .integer(1...1024),
            "The most processes: instead of `count`, the pool begins with `min`, grows while requests wait for a thread, and "
                + "shrinks when it is idle.", example: "8"),
        Option(
            "idle", .duration(1000...86_400_000), default: "30s",
            "Such a pool gives up a worker when the others would have been idle half of the time for so long.",
            with: ["max"]),
        Option(
            "threads", .integer(1...1024), default: "4",
            "Threads in each worker for synchronous (WSGI) sites."),
        Option(
            "max-requests", .integer(1...1 << 53),
            "A worker that has answered so many requests is replaced; without it, none is for that.", example: "10000"),
        Option(
            "max-age", .duration(1000...1 << 53), "A worker that has served so long is replaced.", example: "1d"),
        Option(
            "max-memory", .size(1 << 20...1 << 50), "A worker that holds so much memory is replaced.",
            example: "512MiB"),
        Option(
            "jitter", .integer(0...100), default: "10",
            "By how many percent at most a worker's own three limits are lower, so that not all reach them together."),
        Option(
            "start-attempts", .integer(1...1000), default: "5",
            "So many failed starts in a row end the server, unless a worker still serves."),
        Option(
            "needs", .list(.form(.programName)), default: "[]",
            "The programs that have to be ready before the first worker starts.",
            example: "[redis]"),
    ])

    static let reload = OptionGroup(
        options: [
            Option(
                "live", .boolean, default: "false",
                "For development: whether files are watched, changes brought in and open pages loaded again by themselves, as "
                    + "`app dev` does. `reload: true` is short for it."),
            Option(
                "touch", .list(.path), default: "[]",
                "Files that bring in a new configuration and new code when they are touched or replaced.",
                example: "[/run/shop.reload]"),
            Option(
                "config", .boolean, default: "false", "Whether the configuration file's own change does."),
            Option(
                "surge", .integer(1...1024), default: "1",
                "How many processes beyond `workers` may live at once meanwhile, those included that finish what they began."
            ),
        ], shorthand: .boolean(key: "live"))

    static let gzip = OptionGroup(
        options: [
            Option("enabled", .boolean, default: "true", "Whether responses are compressed."),
            Option("min-size", .size(0...1 << 30), default: "1KiB", "Smaller responses are left alone."),
            Option("level", .integer(1...9), default: "6", "1 is fastest, 9 smallest."),
            Option(
                "types", .list(.form(.mediaType)),
                default:
                    "[text/*, application/json, application/javascript, application/xml, application/manifest+json, "
                    + "image/svg+xml]", "The media types that are compressed."),
        ], shorthand: .boolean(key: "enabled"))

    static let limits = OptionGroup(options: [
        Option(
            "header-size", .size(1 << 10...1 << 20), default: "16KiB", "All header fields of a request; more is 431."),
        Option("headers", .integer(8...1000), default: "100", "Header fields of a request; more is 431."),
        Option("target-size", .size(256...1 << 20), default: "8KiB", "The request target; longer is 414."),
        Option("body-size", .size(0...1 << 50), default: "10MiB", "A request's body; larger is 413."),
        Option(
            "body-memory", .size(0...1 << 30), default: "64KiB",
            "What of a buffered body stays in memory; the rest goes to disk."),
        Option(
            "connections", .either([.choice(["auto"]), .integer(1...10_000_000)]), default: "10000",
            "Open connections of each worker. `auto`: as many as its limit on descriptors lets."),
        Option(
            "queue", .integer(0...1_000_000), default: "128",
            "Requests that may wait for a thread; more are answered 503 with Retry-After."),
        Option(
            "queue-time", limit, default: "10s",
            "For a request to wait for a thread, or for an event loop that is busy; one that has waited longer is answered 503 "
                + "with Retry-After, and its application is not called. `off`: however long."),
        Option(
            "memory", .either([.choice(["auto", "off"]), .size(1 << 20...1 << 50)]), default: "auto",
            "From here on new connections wait in the kernel until there is room. `auto`: 90% of what the container may use, "
                + "by its cgroup. A size: of each worker's own. `off`: never.", example: "512MiB"),
        Option("files-cache", .size(0...1 << 40), default: "32MiB", "Memory for small static files; 0 keeps none."),
    ])

    private static let span = ValueType.duration(1...86_400_000)
    /// A span of time, or none.
    static let limit = ValueType.either([.duration(0...86_400_000), .choice(["off"])])

    static let timeouts = OptionGroup(options: [
        Option("header", span, default: "10s", "From the first byte of a request to the end of its header; then 408."),
        Option("body", span, default: "30s", "Between two pieces of a request's body; then 408."),
        Option("write", span, default: "30s", "For a client to take the next piece of a response."),
        Option("keep-alive", span, default: "15s", "An idle connection waits this long for its next request."),
        Option(
            "request", limit, default: "60s",
            "For a site to answer; then 504, and the application is made to leave. Time in which the request's body or the "
                + "response moves on does not count; WebSockets and event streams have no limit. `off`: none. "
                + "`timeout` of a route or a site overrides it."),
        Option(
            "grace", .duration(0...86_400_000), default: "5s",
            "For an application to leave after `request` has passed; then its worker is replaced."),
        Option(
            "stuck", limit, default: "30s",
            "For an event loop to be blocked; then what blocks it is interrupted, and after `grace` its worker replaced. "
                + "`off`: never."),
        Option(
            "drain", .duration(0...86_400_000), default: "30s",
            "For running requests to end when the server stops or reloads."),
        Option(
            "linger", .duration(0...86_400_000), default: "30s",
            "For WebSockets and event streams of a worker that was replaced to go on; then they are ended (1012). When the "
                + "server stops they are ended at once."),
        Option(
            "pre-drain", .duration(0...86_400_000), default: "0s",
            "When the server is told to stop, so long requests are served as ever while readiness says no; then it drains. For "
                + "load balancers that notice by asking."),
        Option("start", span, default: "60s", "For a worker to become ready."),
    ])

    static let websocket = OptionGroup(options: [
        Option(
            "max-size", .size(1...1 << 30), default: "16MiB",
            "A message from the client, uncompressed; a larger one closes the socket (1009)."),
        Option(
            "ping-interval", .duration(0...86_400_000), default: "20s",
            "A client that is silent for so long is sent a ping; `0s` sends none."),
        Option(
            "ping-timeout", .duration(0...86_400_000), default: "20s",
            "A client that stays silent for so long after a ping is lost (1006); `0s` waits for ever."),
        Option(
            "compression", .boolean, default: "true",
            "Whether messages are compressed for clients that offer it (permessage-deflate)."),
    ])

    static let log = OptionGroup(options: [
        Option("format", .choice(["text", "json"]), default: "text", "Lines to read, or one JSON object a line."),
        Option(
            "level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), default: "info",
            "What is less important than this is not logged."),
        Option(
            "access", .either([.boolean, .path]), default: "true",
            "The access log: `true` to standard output, `false` none, or a file.", example: "log/access.log"),
        Option(
            "statuses", .list(.form(.statuses)), default: "[1xx, 2xx, 3xx, 4xx, 5xx]",
            "The responses that go to the access log, by status or class.", example: "[4xx, 5xx]"),
        Option(
            "slow", limit, default: "1s",
            "A request that a site takes longer to answer gets a warning, with its path and without its query. `off`: none."
        ),
    ])

    static let health = OptionGroup(
        options: [
            Option("enabled", .boolean, default: "true", "Whether the server answers health checks."),
            Option("live", .form(.urlPath), default: "/livez", "200 while the process can answer at all."),
            Option("ready", .form(.urlPath), default: "/readyz", "200 while requests are welcome, 503 while draining."),
        ], shorthand: .boolean(key: "enabled"))
}

/// The options of one site.
enum SiteDeclarations {
    static let site = OptionGroup(
        options: [
            Option("swift", .text, "The name of a site compiled into this binary.", example: "polls"),
            Option(
                "python", .form(.pythonTarget), "A Python application, WSGI or ASGI.",
                example: "'shop.wsgi:application'"),
            Option(
                "gateway", .choice(["auto", "wsgi", "asgi"]), default: "auto",
                "How it is called; `auto` takes what it offers."),
            Option(
                "database", .path,
                "The SQLite file of a Swift site. Without it: the site's name with `.sqlite3`, in "
                    + "`$APP_DATA` or else the working directory.", example: "var/polls.sqlite3", with: ["swift"]),
            Option(
                "directory", .path, "Working directory and first entry of `sys.path`.", example: "/srv/shop",
                with: ["python"]),
            Option(
                "virtualenv", .path, "The virtual environment with its packages.", example: "/srv/shop/.venv",
                with: ["python"]),
            Option(
                "interpreter", .path,
                "The Python to run it: an interpreter, or a libpython. Without it: that of `virtualenv`, of "
                    + "`$VIRTUAL_ENV`, of `.venv` in `directory`, or `python3` on the path.",
                example: "/usr/bin/python3.11", with: ["python"]),
            Option(
                "loop", .choice(["asyncio", "uvloop"]),
                "The event loop of an ASGI application: `asyncio` shares the server's thread, which is faster; `uvloop`, "
                    + "which must be installed, has a thread of its own.", example: "uvloop", with: ["python"]),
            Option(
                "timeout", Declarations.limit, "For this site, in place of `timeouts.request`.", example: "10m"),
            Option(
                "settings", .map(key: .settingName, .text), "What the site itself wants to know.",
                example: "{page-size: 20}"),
        ], exactlyOne: ["swift", "python"])
}
