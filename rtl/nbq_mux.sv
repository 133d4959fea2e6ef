/// word_o = word sel_i of words_i. A tree of two-way multiplexers, lowest select bit first: logic
/// synthesis packs it better than an indexed part select, whose stride need not be a power of two.
module nbq_mux #(
  parameter int unsigned Words   = 0,  // >= 1
  parameter int unsigned Width   = 0,
  parameter int unsigned SelBits = nbq_pkg::index_bits(Words)
) (
  input  logic [SelBits-1:0]     sel_i,
  input  logic [Words*Width-1:0] words_i,
  output logic [Width-1:0]       word_o
);
  localparam int unsigned Levels = $clog2(Words);

  if (Words == 0 || Width == 0) begin : g_check
    $error("nbq_mux: Words and Width must be set");
  end
  for (genvar l = 0; l <= Levels; l++) begin : g_level
    localparam int unsigned Nodes = (Words + (1 << l) - 1) >> l;
    localparam int unsigned Below = l == 0 ? 0 : (Words + (1 << (l - 1)) - 1) >> (l - 1);
    for (genvar i = 0; i < Nodes; i++) begin : g_node
      logic [Width-1:0] word;
      if (l == 0) begin : g_leaf
        assign word = words_i[i*Width +: Width];
      end else if (2 * i + 1 >= Below) begin : g_alone
        assign word = g_level[l-1].g_node[2*i].word;
      end else begin : g_pick
        assign word = sel_i[l-1] ? g_level[l-1].g_node[2*i+1].word : g_level[l-1].g_node[2*i].word;
      end
    end
  end
  assign word_o = g_level[Levels].g_node[0].word;
  if (Words == 1) begin : g_single
    logic unused_sel;
    assign unused_sel = ^sel_i;
  end
endmodule
