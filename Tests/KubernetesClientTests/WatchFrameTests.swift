import KubernetesAPI
import Testing

@testable import KubernetesClient

@Suite struct WatchFrameTests {
    private func frame(_ text: String) throws -> WatchFrame<ConfigMap> {
        try JSONCoding.decode(WatchFrame<ConfigMap>.self, from: Array(text.utf8))
    }

    private func event(_ text: String) throws -> WatchEvent<ConfigMap>? {
        guard case .event(let event) = try frame(text) else { return nil }
        return event
    }

    @Test func `The three changes carry objects, with their type filled in`() throws {
        let object = #"{"metadata":{"name":"a","namespace":"n","resourceVersion":"7"},"data":{"k":"v"}}"#
        let expected = ConfigMap(metadata: ObjectMeta(name: "a", namespace: "n", resourceVersion: "7"), data: ["k": "v"])
        #expect(try event(#"{"type":"ADDED","object":\#(object)}"#) == .added(expected))
        #expect(try event(#"{"type":"MODIFIED","object":\#(object)}"#) == .modified(expected))
        #expect(try event(#"{"object":\#(object),"type":"DELETED"}"#) == .deleted(expected))
    }

    @Test func `A bookmark is a version, not an object`() throws {
        let text = #"{"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"12746"}}}"#
        #expect(try event(text) == .bookmark(resourceVersion: "12746"))
    }

    @Test func `An error is a Status, not an object`() throws {
        let text =
            #"{"type":"ERROR","object":{"kind":"Status","metadata":{},"status":"Failure","message":"too old","reason":"Expired","code":410}}"#
        guard case .error(let status) = try frame(text) else {
            Issue.record("not an error")
            return
        }
        #expect(status.code == 410)
        #expect(status.reason == "Expired")
    }

    @Test func `What does not decode is named, with the place and without the value`() throws {
        let text =
            #"{"type":"MODIFIED","object":{"metadata":{"name":"a","namespace":"n","resourceVersion":"9"},"data":{"k":["secret"]}}}"#
        guard case .undecodable(let object) = try #require(try event(text)) else {
            Issue.record("it decoded")
            return
        }
        #expect(object.name == "a")
        #expect(object.namespace == "n")
        #expect(object.resourceVersion == "9")
        #expect(object.event == "MODIFIED")
        #expect(object.reason == "not a ConfigMap: String expected at .object.data.k")
        #expect(!object.reason.contains("secret"))
    }

    @Test func `An unknown event is not skipped`() throws {
        let text = #"{"type":"RENAMED","object":{"metadata":{"name":"a"}}}"#
        #expect(try event(text) == .undecodable(UndecodableObject(event: "RENAMED", name: "a", reason: "unknown event RENAMED")))
    }

    @Test(arguments: ["", "{}", "[]", "nonsense", #"{"type":"BOOKMARK","object":{}}"#, #"{"type":"ERROR"}"#])
    func `What is no event at all is an error`(text: String) {
        #expect(throws: (any Error).self) { try frame(text) }
    }
}
