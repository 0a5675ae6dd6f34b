import Foundation
import KubernetesAPI
import NestboxAPI

/// Machines as they stand in files, each checked before any is sent.
struct Inventory {
    struct Entry {
        var machine: Machine
        /// `rack12.yaml, document 3`.
        var source: String
    }

    private(set) var entries: [Entry] = []
    /// What is wrong, all of it.
    private(set) var problems: [String] = []

    var machines: [Machine] { entries.map(\.machine) }

    /// From files, folders (the YAML and JSON files in them) and `-`, which is standard input.
    static func read(_ paths: [String]) throws -> Inventory {
        var inventory = Inventory()
        for path in paths { for (name, text) in try texts(path) { inventory.add(text, from: name) } }
        if inventory.entries.isEmpty, inventory.problems.isEmpty {
            inventory.problems.append("there is no Machine in \(paths.joined(separator: ", "))")
        }
        inventory.compare()
        return inventory
    }

    private static func texts(_ path: String) throws -> [(name: String, text: String)] {
        if path == "-" { return [("standard input", String(decoding: FileHandle.standardInput.readDataToEndOfFile(), as: UTF8.self))] }
        let expanded = (path as NSString).expandingTildeInPath
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: expanded, isDirectory: &isFolder) else {
            throw CommandFailure("-f: there is no file \(path)")
        }
        let files: [String]
        if isFolder.boolValue {
            files = try FileManager.default.contentsOfDirectory(atPath: expanded)
                .filter { name in [".yaml", ".yml", ".json"].contains { name.hasSuffix($0) } }.sorted().map { "\(expanded)/\($0)" }
        } else {
            files = [expanded]
        }
        return try files.map { file in
            guard let bytes = FileManager.default.contents(atPath: file) else { throw CommandFailure("-f: \(file) cannot be read") }
            return (file, String(decoding: bytes, as: UTF8.self))
        }
    }

    mutating func add(_ text: String, from name: String) {
        let documents: [JSONValue]
        do { documents = try YAMLDocuments.read(text) } catch { return problems.append("\(name) is no YAML: \(error.reason)") }
        for (index, document) in documents.enumerated() {
            let source = documents.count == 1 ? name : "\(name), document \(index + 1)"
            if document["kind"]?.string == "List", let items = document["items"]?.array {
                for (index, item) in items.enumerated() { add(item, from: "\(source), item \(index + 1)") }
            } else {
                add(document, from: source)
            }
        }
    }

    private mutating func add(_ document: JSONValue, from source: String) {
        let type = Machine.resourceType
        guard document["kind"]?.string == type.kind, document["apiVersion"]?.string == type.apiVersion else {
            let found = "\(document["apiVersion"]?.string ?? "?") \(document["kind"]?.string ?? "?")"
            return problems.append("\(source): \(found) is not \(type.apiVersion) \(type.kind), and that is all that is made here")
        }
        do {
            let machine = try JSONDecoder().decode(Machine.self, from: JSONEncoder().encode(document))
            let known = try JSONValue(encoding: machine)
            // A server would leave out silently what it does not know, such as a field that is misspelt.
            for field in Self.unknown(in: document, known, at: "") { problems.append("\(source): \(field) is no field of a Machine") }
            for problem in machine.validate() { problems.append("\(source): \(problem)") }
            entries.append(Entry(machine: machine, source: source))
        } catch let error as DecodingError {
            problems.append("\(source): \(Self.words(of: error))")
        } catch {
            problems.append("\(source): \(error)")
        }
    }

    static func unknown(in value: JSONValue, _ known: JSONValue?, at path: String) -> [String] {
        switch (value, known) {
        case (.null, _): return []
        case (.object(let members), .object(let others)?):
            return members.sorted { $0.key < $1.key }.flatMap { name, member in
                unknown(in: member, others[name], at: path.isEmpty ? name : "\(path).\(name)")
            }
        case (_, nil): return [path]
        default: return []
        }
    }

    private static func words(of error: DecodingError) -> String {
        let (context, what) =
            switch error {
            case .typeMismatch(let type, let context): (context, "is no \(type)")
            case .keyNotFound(let key, let context): (context, "lacks \(key.stringValue)")
            case .valueNotFound(_, let context): (context, "has no value")
            case .dataCorrupted(let context): (context, context.debugDescription)
            @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "cannot be read")
            }
        return "\(context.codingPath.map(\.stringValue).joined(separator: ".")) \(what)"
    }

    /// What is wrong between them: one server is one Machine.
    private mutating func compare() {
        var names: [String: String] = [:]
        var addresses: [String: String] = [:]
        for entry in entries {
            if let first = names.updateValue(entry.source, forKey: entry.machine.name) {
                problems.append("\(entry.source): machine \(entry.machine.name) is in \(first) already")
            }
            guard let place = entry.machine.place else { continue }
            if let first = addresses.updateValue(entry.machine.name, forKey: place), first != entry.machine.name {
                problems.append("\(entry.source): machine \(entry.machine.name) has the address of machine \(first), \(place)")
            }
        }
    }

    /// What keeps them from being made beside those that are there, and which of them are there as they are here.
    func compared(with existing: [Machine]) -> (new: [Machine], unchanged: [Machine], problems: [String]) {
        let byName = Dictionary(existing.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        let byPlace = Dictionary(existing.compactMap { machine in machine.place.map { ($0, machine.name) } }, uniquingKeysWith: { $1 })
        var (new, unchanged, problems): ([Machine], [Machine], [String]) = ([], [], [])
        for entry in entries {
            let machine = entry.machine
            if let there = byName[machine.name] {
                let differences = machine.differences(from: there)
                if differences.isEmpty {
                    unchanged.append(machine)
                } else {
                    problems.append(
                        "\(entry.source): machine \(machine.name) is there already, with other \(differences.joined(separator: ", ")): "
                            + "create changes nothing that is there (kubectl apply -f does)")
                }
            } else if let place = machine.place, let other = byPlace[place] {
                problems.append(
                    "\(entry.source): machine \(machine.name) has the address of machine \(other), which is there already: \(place)")
            } else {
                new.append(machine)
            }
        }
        return (new, unchanged, problems)
    }
}

extension Machine {
    /// Where it is reached; two with the same are one server.
    fileprivate var place: String? {
        spec?.address.map { "\($0):\(spec?.port ?? 22)" + (spec?.jumpHost?.address.map { " behind \($0)" } ?? "") }
    }

    /// What of this one is not so in that; what the other has besides is its own affair.
    fileprivate func differences(from other: Machine) -> [String] {
        let (mine, theirs) = (withDefaults().spec ?? MachineSpec(), other.withDefaults().spec ?? MachineSpec())
        var fields: [String] = []
        func compare<Value: Equatable>(_ name: String, _ path: KeyPath<MachineSpec, Value>) {
            if mine[keyPath: path] != theirs[keyPath: path] { fields.append("spec.\(name)") }
        }
        compare("address", \.address)
        compare("port", \.port)
        compare("user", \.user)
        compare("sshKeySecret", \.sshKeySecret)
        compare("hostKey", \.hostKey)
        compare("allowedNamespaces", \.allowedNamespaces)
        compare("reuse", \.reuse)
        compare("jumpHost", \.jumpHost)
        if fields.isEmpty, mine != theirs { fields.append("spec") }
        let labels = (metadata.labels ?? [:]).filter { other.metadata.labels?[$0.key] != $0.value }
        return fields + labels.keys.sorted().map { "label \($0)" }
    }
}
