import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

/// What every `delete` takes.
struct DeleteOptions: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Wait until it is gone, showing what it waits for.")
    var wait = true

    @Option(help: "How long to wait, in seconds.")
    var timeout: Int = 600

    @Flag(help: "That it is not there is no error.")
    var ignoreNotFound = false
}

extension DeleteOptions {
    /// - Parameter progress: what the object says it waits for.
    func delete<T: KubernetesObject>(
        _ type: T.Type, _ name: String, namespace: String?, with client: KubernetesClient, progress: @Sendable (T) -> String?
    ) async throws {
        do {
            try await client.delete(type, name, namespace: namespace)
        } catch let error as KubernetesError where error.isNotFound && ignoreNotFound {
            return
        }
        if wait {
            try await Waiting(timeout: .seconds(timeout)).wait(for: "\(T.resourceType)/\(name) to go") {
                do {
                    return progress(try await client.get(type, name, namespace: namespace)) ?? "its deletion has begun"
                } catch let error as KubernetesError where error.isNotFound {
                    return nil
                }
            }
        }
        Terminal.write("\(T.resourceType)/\(name) \(wait ? "deleted" : "is being deleted")\n")
    }
}
