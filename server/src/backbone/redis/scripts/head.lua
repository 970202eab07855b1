-- Where a log stands: {epoch, seq, id, first, epoch before, seq before}, or nothing.
if not e then return false end
return head()
