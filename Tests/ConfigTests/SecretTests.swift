import Config
import TestSupport
import Testing

/// `${secret:…}` and `${env:…}`, and that no output shows a secret.
@Suite struct SecretTests {
    static let yaml = "base:\n  secret-key: ${secret:secret-key}\n"

    @Test func placesAreLookedAtInOrder() throws {
        let directory = try Folder()
        try directory.write("from directory\n", to: "secret-key")
        try directory.write("from file\r\n", to: "other")
        let file = "\(directory.path)/other"
        for (environment, text, source) in [
            (["SECRET_KEY": "from variable", "SECRET_KEY_FILE": file], "from variable", "$SECRET_KEY"),
            (["SECRET_KEY": "", "SECRET_KEY_FILE": file], "from file", "$SECRET_KEY_FILE \(file)"),
            ([:], "from directory", "\(directory.path)/secret-key"),
        ] {
            let configuration = try load(Self.yaml, environment: environment, secrets: directory.path).get()
            #expect(configuration.settings.secretKey == Secret(text))
            #expect(
                configuration.origin(of: "secret-key")
                    == .secret(source: source, at: .file(path: "app.yaml", line: 2, column: 15, layer: "base")))
        }
    }

    @Test func onlyOneLineBreakIsTrimmed() throws {
        let directory = try Folder()
        try directory.write(" a\n\n", to: "secret-key")
        #expect(try load(Self.yaml, secrets: directory.path).get().settings.secretKey == Secret(" a\n"))
    }

    @Test func unusableSecretsAreErrors() throws {
        let directory = try Folder()
        let path = "\(directory.path)/secret-key"
        func message() -> String {
            switch load(Self.yaml, secrets: directory.path) {
            case .success: ""
            case .failure(let errors): errors.description
            }
        }
        #expect(
            message()
                == "app.yaml:2:15: secret-key: secret 'secret-key' not found: looked in $SECRET_KEY, $SECRET_KEY_FILE, \(path)"
        )
        try directory.write("\n", to: "secret-key")
        #expect(
            message() == "app.yaml:2:15: secret-key: secret 'secret-key' (\(path)) is empty; write the secret into it")
        try directory.write(String(repeating: "x", count: 70_000), to: "secret-key")
        #expect(message().contains("larger than 64KiB"))
        let named = problems(Self.yaml, environment: ["SECRET_KEY_FILE": "gone"])
        #expect(
            named.hasPrefix("app.yaml:2:15: secret-key: secret 'secret-key' ($SECRET_KEY_FILE: gone): no such file"))
    }

    @Test func noOutputShowsASecret() throws {
        let yaml = """
            base:
              secret-key: ${secret:key}
              server-header: x-${secret:key}-y
              sites:
                polls:
                  swift: polls
                  settings: {password: "${secret:key}"}
            """
        let configuration = try load(yaml, environment: ["KEY": "hunter2"]).get()
        let settings = configuration.settings
        #expect(settings.secretKey?.text == "hunter2")
        #expect(settings.serverHeader == .text("x-hunter2-y"))
        #expect(settings.sites.first?.settings["password"] == .secret(Secret("hunter2")))
        var dumped = ""
        dump(settings.secretKey, to: &dumped)
        let outputs = [
            configuration.yaml(), configuration.yaml(withOrigin: true), configuration.json(),
            configuration.json(withOrigin: true), "\(settings.secretKey as Any)",
            String(reflecting: settings.secretKey),
            dumped,
        ]
        for output in outputs { #expect(!output.contains("hunter2")) }
        #expect(configuration.yaml().contains("secret-key: '****'"))
        #expect(configuration.json().contains("\"server-header\": \"****\""))
    }

    @Test func secretGivenDirectlyIsMaskedToo() throws {
        for configuration in [
            try load(nil, environment: ["APP_SECRET_KEY": "hunter2"]).get(),
            try load(nil, flags: [ConfigFlag("secret-key", .text("hunter2"), flag: "--set secret-key")]).get(),
            try load("base: {secret-key: hunter2}").get(),
        ] {
            #expect(configuration.settings.secretKey == Secret("hunter2"))
            #expect(!configuration.yaml(withOrigin: true).contains("hunter2"))
        }
    }

    @Test func errorsDoNotShowSecrets() {
        let yaml = """
            base:
              debug: ${secret:key}
              limits: {queue: "${secret:key}"}
              sites: {polls: {swift: polls}}
              routes:
                - {path: "/${secret:key}", site: "${secret:key}"}
                - {path: "/${secret:key}", redirect: /, status: "${secret:key}"}
                - {path: "~(${secret:key}", site: polls}
            """
        let printed = problems(yaml, environment: ["KEY": "hunter2"])
        #expect(!printed.contains("hunter2"))
        #expect(printed.contains("debug: expected true or false, got '****'"))
        #expect(printed.contains("no site is named '****'"))
        #expect(printed.contains("'****' has a route already"))
    }

    @Test(arguments: [
        ("${env:A}", "one"), ("x${env:A}y${env:A}", "xoneyone"), ("${env:NONE:-other}", "other"),
        ("${env:EMPTY:-other}", "other"), ("${env:EMPTY}x", "x"), ("$${env:A}", "${env:A}"), ("$5 {}", "$5 {}"),
        ("${env:NONE:-}x", "x"), ("$${", "${"),
    ])
    func references(_ written: String, _ text: String) throws {
        let yaml = "base:\n  server-header: \"\(written)\"\n"
        let settings = try load(yaml, environment: ["A": "one", "EMPTY": ""]).get().settings
        #expect(settings.serverHeader == .text(text))
    }

    @Test func variablesAndFlagsAreTakenLiterally() throws {
        let environment = ["APP_SECRET_KEY": "a${secret:b}: # ["]
        #expect(try load(nil, environment: environment).get().settings.secretKey == Secret("a${secret:b}: # ["))
    }

    @Test func overriddenSecretIsNotMissed() throws {
        #expect(try load(Self.yaml, environment: ["APP_SECRET_KEY": "x"]).get().settings.secretKey == Secret("x"))
    }
}
