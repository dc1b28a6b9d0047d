//! The atg server: HTTP, WebSocket, OpenAPI, configuration, lifecycle.
