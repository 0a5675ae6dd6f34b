import KubernetesAPI

extension Redaction {
    /// An object as it may be shown: of a Secret the names of its keys and what its certificates say, of everything else what is not secret.
    func object(_ object: JSONValue) -> JSONValue {
        var shown = object["kind"] == "Secret" ? SecretFacts.of(object) : object
        if var metadata = shown["metadata"] {
            metadata["managedFields"] = nil
            // kubectl's copy of all that it applied, in one string.
            if var annotations = metadata["annotations"] {
                annotations["kubectl.kubernetes.io/last-applied-configuration"] = nil
                metadata["annotations"] = annotations
            }
            shown["metadata"] = metadata
        }
        return value(shown)
    }

    private func value(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let string): .string(text(string))
        case .array(let items): .array(arguments(items))
        case .object(let members): .object(members.reduce(into: [:]) { $0[$1.key] = member($1.key, $1.value, of: members) })
        case .null, .bool, .integer, .number: value
        }
    }

    private func member(_ key: String, _ value: JSONValue, of members: [String: JSONValue]) -> JSONValue {
        // A variable: {name: DB_PASSWORD, value: ...}.
        let name = key == "value" ? members["name"]?.string ?? key : key
        guard case .string(let string) = value, SecretWords.isSecret(name: name), !SecretWords.isHarmless(value: string) else {
            return self.value(value)
        }
        return .string(Self.mark)
    }

    /// Of a command line a flag and its value may be two.
    private func arguments(_ items: [JSONValue]) -> [JSONValue] {
        var isNext = false
        return items.map { item in
            guard case .string(let string) = item else {
                isNext = false
                return value(item)
            }
            defer { isNext = string.hasPrefix("-") && !string.contains("=") && SecretWords.isSecret(name: string) }
            return isNext ? .string(Self.mark) : .string(text(string))
        }
    }
}
