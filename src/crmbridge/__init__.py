"""crmbridge keeps marketing tools and CRM/SFA systems in step, and can prove it."""
