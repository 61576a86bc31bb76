"""Erasing personal data (删除个人信息): the saga, legal holds, and forgetting again on start."""
