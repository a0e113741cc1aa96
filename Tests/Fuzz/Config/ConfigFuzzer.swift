// Compiled together with Sources/Config by Tests/Fuzz/run; the first byte of the input chooses what is read.

private let sources = ConfigSources(
    defaultEnvironment: "production", environment: ["SECRET_KEY": "hidden-in-every-output", "PORT": "8000"],
    workingDirectory: "/srv", secretsDirectory: "/nonexistent", usualPlaces: [])

/// Reads `data` as a file, a flag or a variable, and checks what must hold for every input: no crash, no secret in any
/// output, and output that is read back is the same configuration.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConfiguration(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    guard let choice = bytes.first else { return 0 }
    let input = Array(bytes.dropFirst())
    var sources = sources
    switch choice % 4 {
    case 0: sources.flags = ConfigFlag(assignment: String(decoding: input, as: UTF8.self)).map { [$0] } ?? []
    case 1:
        let parts = input.split(separator: 0x3D, maxSplits: 1).map { String(decoding: $0, as: UTF8.self) }
        if parts.count == 2 { sources.environment["APP_" + parts[0]] = parts[1] }
    default: sources.fileContents = ("app.yaml", input)
    }
    switch Configuration.load(sources) {
    case .failure(let errors):
        precondition(!errors.errors.isEmpty && !errors.description.contains("hidden-in-every-output"))
    case .success(let configuration):
        let yaml = configuration.yaml()
        precondition(!yaml.contains("hidden-in-every-output"))
        precondition(!configuration.json(withOrigin: true).contains("hidden-in-every-output"))
        precondition(!configuration.yaml(withOrigin: true).contains("hidden-in-every-output"))
        checkRoundTrip(yaml, configuration)
    }
    return 0
}

/// What is printed as YAML, read as `base:`, prints the same.
private func checkRoundTrip(_ yaml: String, _ configuration: Configuration) {
    // A literal `${` would be read as a reference, a masked value as stars, and limits count the printed form.
    guard !yaml.contains("${"), !yaml.contains("****"), yaml.utf8.count < 1 << 18 else { return }
    let indented = "base:\n" + yaml.split(separator: "\n").map { "  \($0)\n" }.joined()
    var again = sources
    again.fileContents = ("printed.yaml", Array(indented.utf8))
    switch Configuration.load(again) {
    case .failure(let errors): preconditionFailure("printed configuration is refused: \(errors)\n\(yaml)")
    case .success(let second): precondition(second.yaml() == yaml, "\(second.yaml())\n---\n\(yaml)")
    }
}
