"""OpenRosa: phones with ODK Collect or KoboCollect log household visits (走访)."""
