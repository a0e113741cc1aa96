import Glibc

/// What the password database says about a user.
struct UserEntry {
    let user: UInt32
    let group: UInt32
    let name: String
    let home: String
    let shell: String?

    /// By name, else by number; nil when there is none.
    init?(_ text: String) {
        var found = passwd()
        func read() -> UserEntry {
            UserEntry(
                user: found.pw_uid, group: found.pw_gid, name: Self.text(found.pw_name) ?? "",
                home: Self.text(found.pw_dir) ?? "/", shell: Self.text(found.pw_shell))
        }
        let byName = AccountDatabase.find({ getpwnam_r(text, &found, $0, $1, $2) }, read)
        let entry =
            byName
            ?? UInt32(text).flatMap { number in AccountDatabase.find({ getpwuid_r(number, &found, $0, $1, $2) }, read) }
        guard let entry else { return nil }
        self = entry
    }

    private init(user: UInt32, group: UInt32, name: String, home: String, shell: String?) {
        self.user = user
        self.group = group
        self.name = name
        self.home = home
        self.shell = shell
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        pointer.map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The groups the user is in, `main` first.
    func groups(with main: UInt32) -> [UInt32] {
        var count: Int32 = 32
        while count <= 65_536 {
            var groups = [gid_t](repeating: 0, count: Int(count))
            let room = count
            if getgrouplist(name, main, &groups, &count) >= 0 { return Array(groups.prefix(Int(count))) }
            count = max(count, room * 2)
        }
        return [main]
    }
}

/// The `get…_r` functions of <pwd.h> and <grp.h>.
enum AccountDatabase {
    /// Calls `look` with room that grows until it is enough; `read` reads what it found, before the room goes.
    static func find<Entry, Found>(
        _ look: (UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>) -> Int32,
        _ read: () -> Found
    ) -> Found? {
        var size = 1024
        while size <= 1 << 20 {
            var buffer = [CChar](repeating: 0, count: size)
            var result: UnsafeMutablePointer<Entry>?
            let found = buffer.withUnsafeMutableBufferPointer { buffer -> (Int32, Found?) in
                guard let room = buffer.baseAddress else { return (ENOMEM, nil) }
                let error = look(room, buffer.count, &result)
                return (error, result == nil ? nil : read())
            }
            if found.0 == ERANGE {
                size *= 2
                continue
            }
            return found.0 == 0 ? found.1 : nil
        }
        return nil
    }
}
