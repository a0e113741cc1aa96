import Config
import Glibc

/// Loads `yaml` as `app.yaml` in /srv/app.
func load(
    _ yaml: String?, environment: [String: String] = [:], flags: [ConfigFlag] = [], named name: String? = nil,
    default defaultEnvironment: String = "production", target: ConfigSources.Target? = nil, secrets: String = "/nowhere"
) -> Result<Configuration, ConfigErrors> {
    Configuration.load(
        ConfigSources(
            environmentName: name, defaultEnvironment: defaultEnvironment, environment: environment, flags: flags,
            target: target, workingDirectory: "/srv/app", secretsDirectory: secrets, usualPlaces: [],
            fileContents: yaml.map { ("app.yaml", Array($0.utf8)) },
            patternProblem: { pattern in
                do {
                    _ = try Regex(pattern)
                    return nil
                } catch {
                    return "it does not compile"
                }
            }))
}

/// What is printed when `yaml` is loaded: the errors, or nothing.
func problems(_ yaml: String?, environment: [String: String] = [:], flags: [ConfigFlag] = [], named: String? = nil)
    -> String
{
    switch load(yaml, environment: environment, flags: flags, named: named) {
    case .success: ""
    case .failure(let errors): errors.description
    }
}

/// A directory of its own for a test, removed when the value goes away.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/config-tests-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemError(code: errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func write(_ text: String, to name: String, mode: mode_t = 0o644) throws {
        guard let file = fopen("\(path)/\(name)", "w") else { throw SystemError(code: errno) }
        fputs(text, file)
        fclose(file)
        chmod("\(path)/\(name)", mode)
    }

    deinit {
        guard let directory = opendir(path) else { return }
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { remove("\(path)/\(name)") }
        }
        closedir(directory)
        rmdir(path)
    }

    struct SystemError: Error {
        let code: Int32
    }
}
