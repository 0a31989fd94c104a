"""From a cleared document and a signer to a sealed document."""
