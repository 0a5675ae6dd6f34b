/// The API group of Nestbox's kinds.
public let nestboxGroup = "nestbox.dev"
