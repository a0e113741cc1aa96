/// The options of one route.
enum RouteDeclarations {
    static let actions = ["files", "site", "redirect", "respond", "deny"]

    private static let filesOptions = [
        Option(
            "cache", .form(.cache), "How long clients may keep a file, or the text of `Cache-Control`.", example: "1y",
            with: ["files"]),
        Option(
            "index", .list(.form(.fileName)), default: "[index.html]", "The files that stand for a directory.",
            with: ["files"]),
        Option(
            "dot-files", .boolean, default: "false", "Whether names that begin with a dot are served.",
            with: ["files"]),
        Option(
            "listing", .boolean, default: "false", "Whether directories without an index are listed.", with: ["files"]),
        Option(
            "precompressed", .boolean, default: "true",
            "Whether `style.css.gz` is sent for `style.css` if it is there.",
            with: ["files"]),
        Option(
            "symlinks", .choice(["within", "never", "follow"]), default: "within",
            "Symbolic links: only to places `within` the directory, `never`, or `follow` them anywhere.",
            with: ["files"]),
    ]

    private static let actionOptions = [
        Option("files", .path, "The directory whose files are served.", example: "static"),
        Option("site", .form(.siteName), "The site that answers.", example: "polls"),
        Option("redirect", .form(.redirectTarget), "Where to send the client.", example: "/new/"),
        Option("respond", .text, "The text of a fixed response.", example: "pong"),
        Option("deny", .flag, "Refuse.", example: "true"),
        Option(
            "status", .integer(200...599),
            "The status: of a redirect (301, 302, 303, 307, 308; 302 if not said), a response (200), a refusal (403, "
                + "404, 410; 403).", example: "301", with: ["redirect", "respond", "deny"]),
        Option(
            "content-type", .form(.headerValue), "The media type of `respond`; text/plain in UTF-8 if not said.",
            example: "text/html", with: ["respond"]),
    ]

    static let headers = OptionGroup(
        options: [
            Option(
                "set", .map(key: .headerName, .form(.headerValue)), "Headers to set.",
                example: "{X-Frame-Options: DENY}"),
            Option("remove", .list(.form(.headerName)), "Headers to take away.", example: "[X-Powered-By]"),
        ], shorthand: .mapping(key: "set"))

    static let fallback = OptionGroup(
        options: actionOptions + filesOptions, exactlyOne: actions, isLayered: false)

    static let route = OptionGroup(
        options: [
            Option(
                "host", .form(.host), "Only for this host; `*.example.org` for its subdomains.",
                example: "example.org"),
            Option(
                "path", .form(.route), "`/prefix/`, `=/exact` or `~regular expression`.", example: "/static/"),
            Option(
                "methods", .list(.form(.method)), "The methods that are answered; others get 405. All, if not said.",
                example: "[GET, HEAD]"),
        ] + actionOptions + filesOptions + [
            Option(
                "fallback", .either([.group(fallback), .form(.siteName)]),
                "What answers when there is no such file: an action, or a site's name.", example: "polls",
                with: ["files"]),
            Option(
                "timeout", Declarations.limit,
                "For the site to answer here, in place of its own `timeout` and of `timeouts.request`; `off` for none.",
                example: "5m", with: ["site", "fallback"]),
            Option("headers", .group(headers), "Response headers; `headers: {X-Frame-Options: DENY}` sets them."),
            Option(
                "gzip", .boolean, default: "true", "Whether responses here are compressed (if `gzip` is on at all)."),
        ], exactlyOne: actions, required: ["path"], isLayered: false)
}
