"""The auditor's verifier (独立验证程序): the audit over a bundle, in one file."""
