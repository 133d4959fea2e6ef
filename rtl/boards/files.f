boards/nbq_uart_rx.sv
boards/nbq_uart_tx.sv
boards/nbq_serial_host.sv
boards/nbq_serial_link.sv
