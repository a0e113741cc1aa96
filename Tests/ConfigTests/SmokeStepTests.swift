import Config
import Testing

@Suite struct SmokeStepTests {
    private func steps(_ yaml: String, environment: [String: String] = [:]) throws -> [SmokeStep] {
        try load(yaml, environment: environment).get().settings.smoke
    }

    @Test func everythingAStepMaySay() throws {
        let step = try #require(
            try steps(
                """
                base:
                  routes: [{path: /, respond: hello}]
                  smoke:
                    - name: a name
                      post: /vote/?a=b
                      send: {Accept: text/html}
                      form: {choice: 2, tag: [x, y]}
                      csrf: true
                      follow: yes
                      status: [200, 303]
                      contains: Polls
                      not-contains: [Traceback, "<script>alert"]
                      matches: '[0-9]+ votes'
                      header: {Content-Type: ~^text/html, Vary: Cookie}
                      not-header: X-Powered-By
                      json-equals: {'items[0].name': Foo, total: 2, ok: true, none: null, list: [1, {a: b}]}
                      within: 1500ms
                """
            ).first)
        #expect(step.name == "a name")
        #expect(step.method == "POST")
        #expect(step.target == "/vote/?a=b")
        #expect(step.send.map(\.name) == ["Accept"])
        guard case .form(let fields)? = step.body else {
            Issue.record("no form")
            return
        }
        #expect(fields.map { "\($0.name)=\($0.value.text)" } == ["choice=2", "tag=x", "tag=y"])
        #expect(step.csrfField == "csrfmiddlewaretoken")
        #expect(step.follow && !step.isSafe)
        #expect(step.status == [200, 303])
        #expect(step.contains.map(\.text) == ["Polls"])
        #expect(step.notContains.map(\.text) == ["Traceback", "<script>alert"])
        #expect(step.matches.map(\.text) == ["[0-9]+ votes"])
        #expect(step.header.map { "\($0.name): \($0.value.text)" } == ["Content-Type: ~^text/html", "Vary: Cookie"])
        #expect(step.notHeader == ["X-Powered-By"])
        let values = step.jsonEquals.map { $0.value.text.filter { !$0.isWhitespace } }
        #expect(step.jsonEquals.map(\.path.description) == ["items[0].name", "total", "ok", "none", "list"])
        #expect(values == ["\"Foo\"", "2", "true", "null", #"[1,{"a":"b"}]"#])
        #expect(step.within == .milliseconds(1500))
    }

    @Test func whatIsNotSaid() throws {
        let step = try #require(
            try steps("base:\n  routes: [{path: /, respond: a}]\n  smoke: [{delete: /a}]\n").first)
        #expect(step.method == "DELETE" && step.body == nil && step.csrfField == nil && !step.follow)
        #expect(step.status.isEmpty && step.within == nil && step.name == nil)
    }

    @Test func aBodyInJSONIsWrittenAsYAML() throws {
        let step = try #require(
            try steps(
                """
                base:
                  routes: [{path: /, respond: a}]
                  smoke: [{put: /a, json: {count: 2, code: "02", "on": [yes, 1.5]}, csrf: token}]
                """
            ).first)
        guard case .json(let text)? = step.body else {
            Issue.record("no JSON")
            return
        }
        #expect(text.filter { !$0.isWhitespace } == #"{"count":2,"code":"02","on":["yes",1.5]}"#)
        #expect(step.csrfField == "token")
    }

    @Test func secretsAreSentAndNotShown() throws {
        let step = try #require(
            try steps(
                """
                base:
                  routes: [{path: /, respond: a}]
                  smoke:
                    - post: /a
                      send: {Authorization: 'Bearer ${secret:token}'}
                      json: {token: '${secret:token}'}
                      contains: '${secret:token}'
                      json-equals: {token: '${secret:token}'}
                """, environment: ["TOKEN": "open-sesame"]
            ).first)
        #expect(step.send.first?.value.text == "Bearer open-sesame")
        guard case .json(let text)? = step.body else {
            Issue.record("no JSON")
            return
        }
        #expect(text.contains("open-sesame"))
        #expect(step.contains.first?.text == "open-sesame" && step.contains.first?.shown == "****")
        #expect(step.jsonEquals.first?.value.text.contains("open-sesame") == true)
        #expect(step.jsonEquals.first?.value.shown.contains("open-sesame") == false)
    }

    @Test func mistakesAreToldWithTheirPlaces() {
        let text = problems(
            """
            base:
              routes: [{path: /, respond: a}]
              smoke:
                - {get: /, post: /}
                - {contains: Polls}
                - {get: polls}
                - {get: /, form: {a: b}}
                - {post: /, form: {a: b}, json: 1}
                - {get: /, satus: 200}
                - {get: /, status: 99}
                - {get: /, matches: '['}
                - {get: /, header: {Content-Type: '~('}}
                - {head: /, contains: x}
                - {get: /, within: soon}
                - {get: /, json-equals: {'a[': 1}}
                - {get: /, csrf: true}
                - get
            """)
        for expected in [
            "app.yaml:4:16: smoke[0].post: 'post' and 'get' exclude each other",
            "app.yaml:5:7: smoke[1]: missing: expected one of get, head, post",
            "app.yaml:6:13: smoke[2].get: expected a path that begins with '/'",
            "app.yaml:7:16: smoke[3].form: 'form' goes with 'post'",
            "app.yaml:8:31: smoke[4].json: 'json' and 'form' exclude each other",
            "app.yaml:9:16: smoke[5].satus: unknown key, did you mean 'status'?",
            "app.yaml:10:24: smoke[6].status: expected a whole number from 200 to 599",
            "app.yaml:11:25: smoke[7].matches[0]: not a regular expression",
            "app.yaml:12:39: smoke[8].header.Content-Type: not a regular expression",
            "app.yaml:13:17: smoke[9].contains: the answer to HEAD has no body",
            "app.yaml:14:24: smoke[10].within: expected a duration",
            "app.yaml:15:30: smoke[11].json-equals: expected a path such as items[0].name, got 'a['",
            "app.yaml:16:16: smoke[12].csrf: 'csrf' goes with",
            "app.yaml:17:7: smoke[13]: expected a mapping",
        ] {
            #expect(text.contains(expected), "\(expected) is not in\n\(text)")
        }
    }

    @Test func theBuiltInConfigurationHasAList() throws {
        let steps = try load(nil).get().settings.smoke
        #expect(steps.map(\.target) == ["/readyz", "/"])
    }
}
