/// Who may know whom. Arrows point down: what is not written here is not allowed.
enum Architecture {
    /// Modules that come with the system, and that everything of ours may use.
    static let system: Set = ["Glibc", "Musl", "Synchronization", "Dispatch", "Runtime"]

    /// What a target of `Sources/` may import beside ``system``.
    static let allowed: [String: Set<String>] = [
        // The binary: the platform, and the sites it carries.
        "app": ["Portico", "Polls"],
        // The one place that knows every part. NIOCore for the units of time the server counts in.
        "Portico": [
            "Config", "Supervisor", "Server", "Front", "Gateway", "Python", "Web", "Telemetry", "Platform", "HTTP",
            "LiveReload", "Diagnosis", "NIOCore", "NIOPosix", "ArgumentParser", "Logging", "CoreMetrics",
        ],
        // Knows nothing of what is configured.
        "Config": ["CYaml"],
        // Owns sockets and processes; never sees a request.
        "Supervisor": ["Platform", "Logging"],
        "Server": ["Gateway", "HTTP", "Platform", "CZlib", "NIOCore", "NIOPosix", "Crypto", "Logging"],
        "Front": ["Gateway", "HTTP", "Platform", "CZlib", "CDeflate", "NIOCore", "NIOPosix", "Logging"],
        // Platform for threads: where they stand, and how to reach them.
        "Gateway": ["HTTP", "Platform", "NIOCore", "NIOPosix", "Logging"],
        // A site's framework runs over the gateways alone: under this server, another one, or none. NIO's bytes are a
        // currency, its embedded loop is for clients in memory.
        "Web": [
            "Diagnosis", "Gateway", "Templates", "HTTP", "NIOCore", "NIOEmbedded", "GRDB", "Crypto", "Logging",
            "FoundationEssentials",
        ],
        // Watches files and speaks to pages; knows nothing of processes.
        "LiveReload": ["Diagnosis", "Gateway", "HTTP", "Platform", "NIOCore", "Logging"],
        // Pages for developers: of failures, wherever they were found. Platform to read sources.
        "Diagnosis": ["Gateway", "HTTP", "Platform", "NIOCore"],
        "Templates": [],
        // Values; NIO's bytes are their currency.
        "HTTP": ["NIOCore"],
        "Telemetry": ["Platform", "Logging", "CoreMetrics"],
        "Platform": ["CPlatform"],
        "CPlatform": [],
        // A second way to be a site: over the gateways alone, like Web, and neither knows the other.
        "Python": ["Gateway", "HTTP", "Platform", "CPython", "NIOCore", "Logging"],
        "CPython": [],
        "CZlib": [],
        "CDeflate": [],
        // What tests share.
        "TestSupport": ["Platform", "Testing", "FoundationEssentials"],
        // Run while building.
        "EmbedResources": ["Foundation", "PackagePlugin"],
        "embed-resources": ["Foundation"],
    ]

    /// What a target of `Sites/` may import.
    static let allowedToSites: Set = ["Portico"]

    /// What must not be reached, not even by a detour.
    static let unreachable: [(from: String, to: Set<String>)] = [
        ("Web", ["Config", "Server", "Front", "Supervisor", "Python", "Portico"]),
        ("Python", ["Config", "Server", "Front", "Supervisor", "Web", "Templates", "Portico"]),
        ("Gateway", ["Server", "Front", "Web", "Python", "Portico"]),
        ("Supervisor", ["Server", "Front", "Gateway", "Web", "Python", "HTTP", "Portico"]),
        ("Server", ["Front", "Web", "Config", "Supervisor"]),
        ("Front", ["Server", "Web", "Config", "Supervisor"]),
    ]

    /// The modules a product of another package brings, where they are not one of its name.
    static let modules: [String: Set<String>] = ["Yams": ["Yams", "CYaml"]]

    /// Lines of a file at most: a longer one holds more than one thing.
    static let longestFile = 450

    /// What stops the process on its way, or was left for later.
    static let banned = ["try!", "as!", "fatalError(", "TODO", "FIXME"]

    /// How a program asks for the time of day.
    static let wallClocks = ["CLOCK_REALTIME", "gettimeofday", "time(nil)", "SystemClock", "Date("]
}
