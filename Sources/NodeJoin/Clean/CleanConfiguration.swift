/// Files that the pool had written, put back to what they were. Kernel settings are put back with those of every node.
enum CleanConfiguration {
    static let putBack = Step(
        "PutBackFiles",
        actions: [
            .script(
                Script(
                    """
                    \(ConfiguredFiles.putBack)
                    if [ -f \(ConfiguredFiles.list) ]; then
                        cp \(ConfiguredFiles.list) \(ConfiguredFiles.list).now
                        while read -r id path; do put_back_file "$id" "$path"; done < \(ConfiguredFiles.list).now
                    fi
                    """))
        ], timeout: .seconds(60))
}
