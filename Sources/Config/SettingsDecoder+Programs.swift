extension SettingsDecoder {
    func programs() throws(ConfigError) -> [ProgramSettings] {
        var programs: [ProgramSettings] = []
        for entry in tree["programs"]?.entries ?? [] {
            let place = ConfigPath([.key("programs"), .key(entry.key)])
            programs.append(
                ProgramSettings(
                    name: entry.key, command: try command(place.appending("command")),
                    directory: try optionalPath(place.appending("directory")),
                    environment: Dictionary(
                        (entry.value["environment"]?.entries ?? []).map { ($0.key, $0.value.scalar?.text ?? "") },
                        uniquingKeysWith: { $1 }),
                    user: optionalText(place.appending("user")), group: optionalText(place.appending("group")),
                    needs: try optionalList(place.appending("needs")), ready: try ready(place.appending("ready")),
                    restart: try word(place.appending("restart")),
                    success: try list(place.appending("success")) { text, _ in Validator.integer(text) },
                    startAttempts: try integer(place.appending("start-attempts")),
                    startTimeout: try duration(place.appending("start-timeout")),
                    stopSignal: try text(place.appending("stop-signal")),
                    stopTimeout: try duration(place.appending("stop-timeout")),
                    essential: try boolean(place.appending("essential"))))
        }
        return programs
    }

    private func command(_ path: ConfigPath) throws(ConfigError) -> [String] {
        guard let text = tree[path]?.scalar?.text else { return try list(path) { text, _ in text } }
        do throws(CommandText.Problem) { return try CommandText.words(text) } catch {
            throw ConfigError(.syntax(error.text), at: tree.origin(of: path), path: path)
        }
    }

    private func ready(_ path: ConfigPath) throws(ConfigError) -> ProgramSettings.Ready? {
        guard let node = tree[path] else { return nil }
        if node["after"] != nil { return .after(try duration(path.appending("after"))) }
        if node["http"] != nil { return .http(try text(path.appending("http"))) }
        if node["file"] != nil { return .file(try self.path(path.appending("file"))) }
        if node["line"] != nil { return .line(try text(path.appending("line"))) }
        if node["exit"] != nil { return .exit }
        guard node["tcp"] != nil else { return nil }
        let place = path.appending("tcp")
        switch try read(place, ListenAddress.init(parsing:)) {
        case .unix(let file):
            return .tcp(.unix(path: FilePath.absolute(file, in: baseDirectory(tree.origin(of: place)))))
        case let address: return .tcp(address)
        }
    }
}
