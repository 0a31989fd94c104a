"""The register of licences and the store of their documents, behind `protocol`; `sql` and `files` last."""
