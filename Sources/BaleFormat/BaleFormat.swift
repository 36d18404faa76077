// BaleFormat
