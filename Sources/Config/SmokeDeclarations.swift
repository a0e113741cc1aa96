/// The options of one step of `smoke`.
enum SmokeDeclarations {
    static let methods = ["get", "head", "post", "put", "patch", "delete", "options"]
    static let methodsWithBody = ["post", "put", "patch", "delete"]
    static let bodies = ["form", "json", "body"]

    static let step = OptionGroup(
        options: [
            Option("name", .text, "What the report calls it, instead of method and path.", example: "voting")
        ]
            + methods.map { method in
                Option(
                    method, .form(.requestTarget), "The path that is asked for with \(method.uppercased()).",
                    example: "/")
            } + [
                Option(
                    "send", .map(key: .headerName, .text), "Request headers.", example: "{Accept: application/json}"),
                Option(
                    "form", .map(key: .fieldName, .list(.text)), "The fields of a form.", example: "{choice: 2}",
                    with: methodsWithBody),
                Option("json", .any, "A body in JSON, written as YAML.", example: "{choice: 2}", with: methodsWithBody),
                Option("body", .text, "A body as it is; name its type by `send`.", with: methodsWithBody),
                Option(
                    "csrf", .either([.boolean, .form(.fieldName)]), default: "false",
                    "Whether the token of the form on the page before goes along, else that of its cookie. Another name "
                        + "than `csrfmiddlewaretoken` names the form's hidden field.", example: "true",
                    with: methodsWithBody),
                Option("follow", .boolean, default: "false", "Whether redirects are followed, up to 10."),
                Option(
                    "status", .list(.integer(200...599)),
                    "The status that is expected, or several; without it 200 to 299.",
                    example: "301"),
                Option("contains", .list(.text), "What the body has to contain.", example: "Polls"),
                Option("not-contains", .list(.text), "What it must not contain.", example: "Traceback"),
                Option(
                    "matches", .list(.text), "Regular expressions to be found in the body.",
                    example: "'[0-9]+ votes'"),
                Option(
                    "header", .map(key: .token, .text),
                    "Response headers and their values; after `~` a regular expression to be found in it.",
                    example: "{Content-Type: ~^text/html}"),
                Option("not-header", .list(.form(.token)), "Headers that must not be there.", example: "X-Powered-By"),
                Option(
                    "json-equals", .map(key: .fieldName, .any),
                    "Values in a JSON body, by their path (`items[0].name`).", example: "{status: ok}"),
                Option(
                    "within", .duration(1...3_600_000), "How long it may take, redirects included.", example: "1s"),
            ], exactlyOne: methods, isLayered: false)
}
