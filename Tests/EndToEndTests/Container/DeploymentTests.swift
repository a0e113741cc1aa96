import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// `Sites/Polls/deploy`: valid by the schemas, and each value that they rely on is one that the program lives up to.
    @Suite(
        .enabled(
            if: Image.isPossible && access(Image.kubernetes, F_OK) == 0,
            "needs root, mount namespaces, and what Tests/run makes: a Debian by debootstrap, kubernetes-validate"))
    struct Deployments {
        private static let folder = "\(Command.package)/Sites/Polls/deploy"
        private let kubernetes = Document("\(folder)/kubernetes.yaml")
        private let compose = Document("\(folder)/compose.yaml")
        private let pod = "[d for d in documents if d['kind'] == 'Deployment'][0]['spec']['template']['spec']"
        private let configMap = "[d for d in documents if d['kind'] == 'ConfigMap'][0]['data']['app.yaml']"

        @Test(arguments: ["1.29.0", "1.33.0", "1.37.0"]) func theManifestIsValid(version: String) throws {
            let result = try Command.run([
                Image.kubernetes, "-m", "kubernetes_validate", "--strict", "-k", version,
                "\(Self.folder)/kubernetes.yaml",
            ])
            #expect(result.status == .exited(0), "\(result.output)\(result.errors)")
            let kinds = try kubernetes.ask("for d in documents: print(d['kind'])")
            #expect(
                kinds == [
                    "ConfigMap", "Secret", "PersistentVolumeClaim", "Deployment", "Service", "Ingress",
                    "PodDisruptionBudget",
                    "HorizontalPodAutoscaler",
                ])
        }

        /// The Pod Security Standard "restricted", and one replica as long as there is SQLite.
        @Test func thePodIsRestricted() throws {
            let facts = try kubernetes.ask(
                """
                pod = \(pod)
                container = pod["containers"][0]
                print(pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["seccompProfile"]["type"])
                own = container["securityContext"]
                print(own["allowPrivilegeEscalation"], own["readOnlyRootFilesystem"], own["capabilities"])
                deployment = [d for d in documents if d["kind"] == "Deployment"][0]["spec"]
                print(deployment["replicas"], deployment["strategy"]["type"], "lifecycle" in container)
                """)
            #expect(facts == ["True RuntimeDefault", "False True {'drop': ['ALL']}", "1 Recreate False"])
        }

        /// The same configuration for compose, Kubernetes and the reader, but for what Prometheus asks.
        @Test func oneConfiguration() throws {
            let program = """
                mounted = yaml.safe_load(\(configMap))
                shipped = yaml.safe_load(open("\(Self.folder)/app.yaml"))
                del shipped["base"]["smoke"]
                print(mounted["production"].pop("admin"), mounted["production"].pop("admin-token"))
                print(mounted == shipped)
                """
            #expect(try kubernetes.ask(program) == ["0.0.0.0:9000 ${secret:admin_token}", "True"])
        }

        @Test func thePodRuns() throws {
            let values = try kubernetes.ask(
                """
                pod = \(pod)
                container = pod["containers"][0]
                volumes = {v["name"]: v for v in pod["volumes"]}
                for mount in container["volumeMounts"]:
                    kind = [k for k in volumes[mount["name"]] if k != "name"][0]
                    print("mount", kind, mount["mountPath"], "ro" if mount.get("readOnly") else "rw")
                for variable in container["env"]: print("env", variable["name"], variable["value"])
                for argument in container["args"]: print("argument", argument)
                for probe in ["startupProbe", "readinessProbe", "livenessProbe"]:
                    print("probe", container[probe]["httpGet"]["path"], container[probe]["httpGet"]["port"])
                for port in container["ports"]: print("port", port["name"], port["containerPort"])
                print("user", f'{pod["securityContext"]["runAsUser"]}:{pod["securityContext"]["runAsGroup"]}')
                print("grace", pod["terminationGracePeriodSeconds"])
                print("tmp", volumes["temporary"]["emptyDir"]["sizeLimit"].removesuffix("i").lower())
                secret = [d for d in documents if d["kind"] == "Secret"][0]["stringData"]
                for name in secret: print("secret", name)
                """
            ).map { $0.split(separator: " ").map(String.init) }
            func all(_ name: String) -> [[String]] { values.filter { $0[0] == name }.map { Array($0.dropFirst()) } }

            let folder = try Folder()
            let data = try dataDirectory(in: folder)
            try folder.makeDirectory("configuration")
            try folder.makeDirectory("secrets")
            let configuration = try kubernetes.ask("print(json.dumps(\(configMap)))")
            try folder.write(
                try Command.run(["python3", "-c", "import json, sys; print(json.loads(sys.argv[1]))", configuration[0]])
                    .output,
                to: "configuration/app.yaml")
            for name in all("secret").map({ $0[0] }) {
                // As kubelet mounts it with defaultMode and fsGroup: readable for the group alone.
                try folder.write("a-key-of-the-tests-that-is-long-enough-0123456789-abcdef\n", to: "secrets/\(name)")
                chown(folder["secrets/\(name)"], 0, 65532)
                chmod(folder["secrets/\(name)"], 0o440)
            }
            let places = [
                "persistentVolumeClaim": data, "configMap": folder["configuration"], "secret": folder["secrets"],
            ]
            let mounts = all("mount").compactMap { mount in
                places[mount[0]].map { "\($0):\(mount[1])" + (mount[2] == "ro" ? ":ro" : "") }
            }
            #expect(mounts.count == 3)
            #expect(all("mount").contains { $0[0] == "emptyDir" && $0[1] == "/tmp" })
            let user = try #require(all("user").first?.first)
            let image = Image(target: "app")
            let server = try AppServer(
                in: folder, Array(all("argument").map { $0[0] }.dropFirst()),
                prefix: try image.prefix(
                    env: Dictionary(all("env").map { ($0[0], $0[1]) }) { $1 }, mounts: mounts, user: user,
                    tmp: try #require(all("tmp").first?.first)), isForked: true)
            #expect(all("argument").first == ["serve"])
            let port = try #require(all("port").first)
            #expect(server.endpoint.port == UInt16(port[1]))
            for probe in all("probe") {
                #expect(probe[1] == port[0], "a probe asks the named port")
                let url = "http://127.0.0.1:\(port[1])\(probe[0])"
                #expect(
                    try image.execute(["/usr/local/bin/app", "health", url], beside: server).status == .exited(0),
                    "\(url)")
            }
            // What Prometheus is told to ask, with the token that it is given.
            let monitor = Document("\(Self.folder)/servicemonitor.yaml")
            let endpoint = try monitor.ask(
                """
                endpoint = documents[0]["spec"]["endpoints"][0]
                print(endpoint["port"], endpoint["path"], endpoint["authorization"]["credentials"]["key"])
                """)[0].split(separator: " ").map(String.init)
            #expect(endpoint == ["metrics", "/metrics", "admin_token"] && all("secret").contains(["admin_token"]))
            #expect(
                try kubernetes.value(
                    "[p for p in [d for d in documents if d['kind'] == 'Service'][0]['spec']['ports'] if p['name'] == 'metrics'][0]['targetPort']"
                ) == "metrics")
            let metrics = try #require(all("port").first { $0[0] == "metrics" })
            let token = try folder.text(of: "secrets/admin_token").dropLast()
            for (given, status) in [(String(token), Int32(0)), ("wrong", 1)] {
                let step = "smoke=[{get: \(endpoint[1]), send: {Authorization: Bearer \(given)}, contains: portico_}]"
                let scraped = try image.execute(
                    [
                        "/usr/local/bin/app", "smoke", "--config", "/etc/app/app.yaml", "--url",
                        "http://127.0.0.1:\(metrics[1])", "--set", step,
                    ], beside: server)
                #expect(scraped.status == .exited(status), "\(scraped.output)\(scraped.errors)")
            }
            // What the grace period has to be longer than.
            let timeouts = try image.execute(
                ["/usr/bin/env", "SECRET_KEY=x", "/usr/local/bin/app", "config", "--config", "/etc/app/app.yaml"],
                beside: server
            ).output.split(separator: "\n").filter { $0.contains("drain:") }
            let grace = try #require(all("grace").first.flatMap { Int($0[0]) })
            let seconds = timeouts.compactMap { $0.split(separator: " ").last.flatMap { Int($0.dropLast()) } }
            #expect(seconds.sorted() == [5, 30] && grace > seconds.reduce(0, +), "\(timeouts)")
            try server.stop()
            #expect(folder.has("data/polls.sqlite3"))
        }

        /// What compose says again agrees with the image.
        @Test func composeAgreesWithTheImage() throws {
            let image = Image(target: "app")
            let program = """
                image = json.loads('''\(try image.description())''')
                service = documents[0]["services"]["polls"]
                print(service["user"] == image["user"], service["stop_signal"] == image["stopsignal"])
                print(service["healthcheck"]["test"] == ["CMD"] + image["healthcheck"])
                print(service["read_only"], service["cap_drop"], service["security_opt"])
                print(f'data:{image["volume"]}' in service["volumes"], service["ports"][0].split(":")[1] == image["expose"])
                print(service["command"][0] == image["cmd"][0], service["build"]["target"])
                print(int(service["stop_grace_period"][:-1]) > 30)
                """
            #expect(
                try compose.ask(program) == [
                    "True True", "True", "True ['ALL'] ['no-new-privileges:true']", "True True", "True app", "True",
                ])
        }
    }
}
