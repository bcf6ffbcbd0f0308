"""Actions of the people in the workspace: pressing buttons, giving commands, filling in modals."""
