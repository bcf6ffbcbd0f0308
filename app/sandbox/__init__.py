"""The sandbox: stand-ins that speak real protocols, and the page that shows them. The service never imports it."""
