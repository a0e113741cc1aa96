import CPlatform
import Glibc

/// Who a process is to the kernel: its user and groups, and what the password database says about that user.
public struct ProcessIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The user's number.
    public let user: UInt32
    /// The number of the group that new files belong to.
    public let group: UInt32
    /// All groups, that one among them.
    public let groups: [UInt32]
    /// The user's name; nil for a number that the password database does not know.
    public let name: String?
    /// The home directory; `/` when nothing is known.
    public let home: String
    /// The login shell, when it is known.
    public let shell: String?
    /// Whether programs started from there may gain rights by set-user-id bits and file capabilities, as `sudo` does.
    public var mayGainPrivileges = false

    /// Why there is no such identity.
    public enum Unknown: Error, Equatable, CustomStringConvertible {
        case user(String)
        case group(String)
        /// The user is a number that the password database does not know.
        case groupOfUser(UInt32)

        public var description: String {
            switch self {
            case .user(let name): "there is no user '\(name)' on this machine (a number needs no entry)"
            case .group(let name): "there is no group '\(name)' on this machine (a number needs no entry)"
            case .groupOfUser(let number):
                "user \(number) has no entry in the password database, so that its group is unknown: name a group as well"
            }
        }
    }

    /// The user and the group, each by name or number, as a login would have them: with the user's further groups, and
    /// the user's own group when none is named.
    public init(user: String, group: String? = nil) throws(Unknown) {
        let entry = UserEntry(user)
        guard let number = entry?.user ?? UInt32(user) else { throw .user(user) }
        self.user = number
        name = entry?.name
        home = entry?.home ?? "/"
        shell = entry?.shell
        if let group {
            self.group = try Self.group(group)
        } else if let entry {
            self.group = entry.group
        } else {
            throw .groupOfUser(number)
        }
        groups = entry.map { [group = self.group] in $0.groups(with: group) } ?? [self.group]
    }

    /// The number of a group that is given by name or number.
    public static func group(_ text: String) throws(Unknown) -> UInt32 {
        if let number = UInt32(text) { return number }
        var found = Glibc.group()
        guard
            AccountDatabase.find(
                { buffer, size, result in getgrnam_r(text, &found, buffer, size, result) }, { found.gr_gid })
                != nil
        else { throw .group(text) }
        return found.gr_gid
    }

    /// The number of a user that is given by name or number.
    public static func user(_ text: String) throws(Unknown) -> UInt32 {
        guard let number = UserEntry(text)?.user ?? UInt32(text) else { throw .user(text) }
        return number
    }

    /// `www-data`, or `user 1000` without a name.
    public var description: String { name ?? "user \(user)" }

    /// Whether this process is that already, with no rights beyond it.
    public var isCurrent: Bool { geteuid() == user && getuid() == user && getegid() == group && getgid() == group }

    /// `environment` as a login has it: `HOME`, `USER`, `LOGNAME` and `SHELL` are this user's.
    public func applied(to environment: [String: String]) -> [String: String] {
        var result = environment
        for (key, value) in variables { result[key] = value }
        return result
    }

    private var variables: [(String, String?)] {
        [("HOME", home), ("USER", name), ("LOGNAME", name), ("SHELL", shell)]
    }

    /// Makes this process be that, for good: it is checked that root cannot be regained. The environment follows.
    ///
    /// To be called before other threads are started: what programs may gain is set for the calling thread and its children.
    public func assume() throws(SystemError) {
        var code: Int32 = 0
        let stage = Self.withPointer(to: self) { identity in identity.map { cplatform_assume($0, &code) } ?? 0 }
        guard stage == 0 else {
            throw SystemError(
                operation: "become \(self) (\(Self.describe(cplatform_stage(UInt32(stage)))))", code: code)
        }
        _ = cplatform_allow_dumps()
        for (key, value) in variables {
            if let value { setenv(key, value, 1) } else { unsetenv(key) }
        }
    }

    /// What access(2) answers for each path when that user asks, by this user's rights alone; 0 is yes, all else an `errno`.
    ///
    /// A short-lived child asks: access control lists, read-only file systems and the like count as the kernel counts them.
    public func access(_ questions: [(path: String, mode: Int32)]) throws(SystemError) -> [Int32] {
        var results = [Int32](repeating: 0, count: questions.count)
        let modes = questions.map(\.mode)
        let result = ChildProcess.withCStrings(questions.map(\.path)) { paths in
            Self.withPointer(to: self) { identity in
                paths.withMemoryRebound(to: UnsafePointer<CChar>?.self, capacity: questions.count + 1) { paths in
                    cplatform_access_as(identity, paths, modes, &results, Int32(questions.count))
                }
            }
        }
        _ = try SystemError.check(result, "ask for the rights of \(self)")
        return results
    }

    static func withPointer<Result>(
        to identity: ProcessIdentity?, _ body: (UnsafePointer<cplatform_identity>?) -> Result
    ) -> Result {
        guard let identity else { return body(nil) }
        return identity.groups.withUnsafeBufferPointer { groups in
            var value = cplatform_identity(
                user: identity.user, group: identity.group, groups: groups.baseAddress,
                group_count: Int32(groups.count), no_new_privileges: identity.mayGainPrivileges ? 0 : 1)
            return body(&value)
        }
    }

    static func describe(_ stage: cplatform_stage) -> String {
        switch stage {
        case CPLATFORM_STAGE_GROUPS: "set the groups"
        case CPLATFORM_STAGE_GROUP: "set the group"
        case CPLATFORM_STAGE_USER: "set the user"
        case CPLATFORM_STAGE_CAPABILITIES: "give up capabilities"
        case CPLATFORM_STAGE_REGAINED: "root could be regained"
        case CPLATFORM_STAGE_NO_NEW_PRIVILEGES: "no_new_privs"
        default: "prepare"
        }
    }
}
